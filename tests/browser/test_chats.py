"""Web chats in Chromium behind a running agent: what is typed, what arrives, what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from agent.catalog import Catalog, bundled_surfaces
from tests.browser.chromium import Page
from tests.browser.conftest import Open
from tests.browser.site import BACKWARDS, SERVICES
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.prompts import made_up_key

GONE = "[REDACTED:openai_api_key]"
CHATS = ("chatgpt.com", "claude.ai", "gemini.google.com")
COPILOT = "copilot.microsoft.com"
chats = pytest.mark.parametrize("host", CHATS)

type Picture = Callable[[Page, str], None]


def ask(page: Page, text: str) -> None:
    """Type a prompt and wait for the answer's end."""
    page.type("textarea", text)
    page.wait("!chat.busy && document.querySelectorAll('.turn').length")


def shown(page: Page) -> str:
    """What a person reads there."""
    text: str = page.run("document.body.innerText")
    return text


def ever_shown(page: Page) -> str:
    """Everything that was shown at any time, for however short."""
    text: str = page.run("chat.seen.join('\\n')")
    return text


@chats
def test_a_key_that_is_typed_is_gone_before_it_arrives_and_the_answer_is_shown(
    host: str, open_page: Open, services: Provider, picture: Picture
) -> None:
    key = made_up_key()
    page = open_page(host)
    assert page.protocol == "h2"
    assert "Drawbridge" in page.issuer
    ask(page, f"Why does my key {key} not work? 😀")
    assert f"my key {GONE} not work? 😀" in ever_shown(page)
    assert "best wishes" in shown(page)
    assert not services.saw(key)
    assert not services.saw(key.replace("-", "%2D"))
    assert page.run("chat.errors") == []
    assert page.run("chat.seen.length") > 5  # it was shown while it came
    picture(page, f"{SERVICES[host].name.lower()}-redacted")


@chats
def test_a_key_that_is_answered_is_never_shown_while_the_answer_streams(
    host: str, open_page: Open, services: Provider, picture: Picture
) -> None:
    key = made_up_key()
    page = open_page(host)
    ask(page, BACKWARDS + key[::-1])
    assert f"that is {GONE} – I hope it helps. 😀" in shown(page)
    assert key not in ever_shown(page)
    assert key[:20] not in ever_shown(page)
    assert services.saw(key[::-1])
    picture(page, f"{SERVICES[host].name.lower()}-answer")


def test_snapshots_are_shown_without_the_key_from_the_first_to_the_last(open_page: Open) -> None:
    key = made_up_key()
    page = open_page("chatgpt.com")
    ask(page, f"as snapshots, {BACKWARDS}{key[::-1]}")
    assert f"that is {GONE} – I hope" in shown(page)
    assert key[:20] not in ever_shown(page)


@chats
def test_a_prompt_that_is_blocked_is_answered_in_the_page_by_our_words(
    host: str, open_blocked: Open, services: Provider, picture: Picture
) -> None:
    key = made_up_key()
    page = open_blocked(host)
    ask(page, f"Deploy with {key} please")
    assert "Not here, please: openai api key in the prompt." in shown(page)
    assert not services.saw(key)
    asked = [each.path for each in services.requests if "onversation" in each.path or "Stream" in each.path]
    assert asked == []
    picture(page, f"{SERVICES[host].name.lower()}-blocked")
    ask(page, "And without it?")  # the page goes on
    assert "“And without it?”" in shown(page)


@chats
def test_an_answer_that_is_blocked_midway_ends_with_our_words(
    host: str, open_blocked: Open, picture: Picture
) -> None:
    key = made_up_key()
    page = open_blocked(host)
    ask(page, BACKWARDS + key[::-1])
    assert "Not here, please: openai api key in the answer." in shown(page)
    assert key[:20] not in ever_shown(page)
    picture(page, f"{SERVICES[host].name.lower()}-stopped")


def test_the_text_of_a_document_goes_the_same_way(open_page: Open, services: Provider) -> None:
    key = made_up_key()
    page = open_page("claude.ai")
    document = {"file_name": "a.txt", "file_type": "text/plain", "extracted_content": f"token {key}"}
    page.run(f"chat.attachments.push({json.dumps(document)})")
    ask(page, "Sum it up")
    assert f"The document says: token {GONE}" in shown(page)
    assert not services.saw(key)


def test_a_draft_is_redacted_too(open_page: Open, services: Provider) -> None:
    key = made_up_key()
    ask(open_page("chatgpt.com"), f"draft {key}")
    drafts = [each for each in services.requests if each.path.endswith("/prepare")]
    assert drafts
    assert all(GONE.encode() in each.body for each in drafts)


ELSEWHERE = {
    "chatgpt.com": (
        "/api/auth/session",
        "/backend-api/sentinel/chat-requirements",
        "/ces/v1/t",
        "/backend-api/me",
    ),
    "claude.ai": ("/login", "/api/auth/verify_magic_link", "/api/event_logging/batch", "/v1/oauth/token"),
    "gemini.google.com": ("/_/BardChatUi/cspreport", "/log", "/_/BardChatUi/data/batchexecute"),
}


@chats
def test_sign_in_and_telemetry_pass_byte_by_byte(host: str, open_blocked: Open, services: Provider) -> None:
    page = open_blocked(host)
    body = json.dumps({"token": made_up_key(), "pad": "é😀" * 4000})
    if host == "gemini.google.com":
        body = (
            "f.req=%5B%5B%5B%22MaZiqc%22%2C%22%5B%5D%22%2Cnull%2C%22generic%22%5D%5D%5D&at=" + made_up_key()
        )
    kind = "application/x-www-form-urlencoded" if "google" in host else "application/json"
    for path in ELSEWHERE[host]:
        result = page.run(f"chat.probe({json.dumps(path)}, {json.dumps(body)}, {json.dumps(kind)})")
        assert result == {"status": 200, "arrived": True, "returned": True}, path
    assert {each.path for each in services.requests} >= set(ELSEWHERE[host])


@pytest.mark.parametrize("host", ["auth.openai.com", "accounts.google.com"])
def test_the_hosts_of_sign_in_are_not_even_decrypted(host: str, open_blocked: Open) -> None:
    page = open_blocked(host)
    assert page.issuer == "The site's own CA"
    body = json.dumps({"password": made_up_key()})
    result = page.run(
        f"""(async () => {{
            const response = await fetch('/u/login', {{method: 'POST', body: {json.dumps(body)}}});
            return await response.text() === {json.dumps(body)};
        }})()"""
    )
    assert result is True


def test_other_sockets_of_a_chat_page_pass(open_page: Open) -> None:
    page = open_page("chatgpt.com")
    key = made_up_key()
    assert (
        page.run(f"chat.socket('wss://chatgpt.com/backend-api/notifications/ws', {json.dumps(key)})") == key
    )


def test_the_trail_says_which_chat_was_asked(open_page: Open, agent: AgentProcess) -> None:
    known = len(agent.trail.events(kind="exchange", limit=1000))
    ask(open_page("claude.ai"), f"the key {made_up_key()} again")
    rows = agent.wait_for_events("exchange", known + 3)
    texts = [agent.event_text(row) for row in rows]
    asked = [text for text in texts if "claude-web" in text and "/completion" in text]
    assert asked
    assert "openai_api_key" in asked[0]


@pytest.mark.skipif(
    Catalog(bundled_surfaces()).surface(COPILOT) is None, reason="the catalog has no row for Copilot yet"
)
def test_copilot_is_asked_on_its_socket(open_page: Open, services: Provider, picture: Picture) -> None:
    key = made_up_key()
    page = open_page(COPILOT)
    ask(page, f"Why does my key {key} not work?")
    assert f"my key {GONE} not work?" in shown(page)
    picture(page, "copilot-redacted")

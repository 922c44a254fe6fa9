"""The dashboard in a real browser: what it shows, by mouse and by keyboard, and that nothing breaks its policy."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser import chromium
from tests.browser.chromium import Chromium, Page
from tests.fakes.provider import Provider
from tests.fakes.tls import Authority
from tests.integration.agent_process import AgentProcess
from tests.integration.line import Line, trusting, tunnel
from tests.integration.prompts import CHAT, made_up_key

type Picture = Callable[[Page, str], None]

WATCH = """addEventListener('securitypolicyviolation', (event) => {
    (window.violations ||= []).push(event.violatedDirective + ' ' + event.blockedURI); });
addEventListener('error', (event) => (window.violations ||= []).push(event.message));"""
POLICY = """\
schema_version: 1
id: shown
revision: 3
description: "<img src=x onerror=alert(1)>"
guardrails:
  - {id: no-secrets, detect: [secret], action: redact}
  - {id: no-cards, detect: [pii/payment_card], where: [prompt], action: block}
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    if chromium.program() is None:
        pytest.skip("there is no Chromium here (on the PATH, or named by CHROMIUM)")
    directory = tmp_path_factory.mktemp("provider")
    authority = Authority(directory)
    with Provider(directory, authority=authority) as provider:
        yield provider


@pytest.fixture(scope="module")
def shown_agent(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    directory = tmp_path_factory.mktemp("shown")
    policy = directory / "policy.yaml"
    policy.write_text(POLICY)
    with AgentProcess(
        directory, upstreams={CHAT.host: provider.port}, ca_file=provider.ca_file, policy=policy
    ) as agent:
        yield agent


@pytest.fixture(scope="module")
def browser(shown_agent: AgentProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    with Chromium(tmp_path_factory.mktemp("home"), "--no-proxy-server", nowhere) as browser:
        yield browser


def made_up_card() -> str:
    """Sixteen digits whose last one checks the others (ISO/IEC 7812-1)."""
    digits = [4, *(random.randrange(10) for _ in range(14))]
    doubled = [digit * 2 - 9 * (digit > 4) if place % 2 == 0 else digit for place, digit in enumerate(digits)]
    return "".join(map(str, [*digits, -sum(doubled) % 10]))


def ask(agent: AgentProcess, text: str) -> None:
    """One exchange of a program on this machine."""
    sock = tunnel(agent.proxy_port, CHAT.host)
    with Line.secured(sock, trusting(agent.ca_file), CHAT.host) as line:
        line.ask("POST", CHAT.target(), CHAT.body(text))


@pytest.fixture
def page(browser: Chromium, shown_agent: AgentProcess) -> Iterator[Page]:
    page = browser.page(shown_agent.control("dashboard")["url"], first=WATCH)
    page.wait("document.querySelector('#rules tr')")
    yield page
    assert page.run("window.violations || []") == []


def press(page: Page, key: str, text: str = "") -> None:
    """A key, as a person presses it."""
    codes = {"Tab": 9, "Enter": 13, " ": 32}
    for kind in ("keyDown", "keyUp"):
        page.call(
            "Input.dispatchKeyEvent",
            type=kind,
            key=key,
            code="Space" if key == " " else key,
            windowsVirtualKeyCode=codes[key],
            **({"text": text} if text and kind == "keyDown" else {}),
        )


def test_the_state_and_the_policy_are_told(page: Page, shown_agent: AgentProcess, picture: Picture) -> None:
    assert page.run("document.getElementById('word').textContent") == "Guarding"
    text = page.run("document.getElementById('policy').innerText")
    assert "secrets" in text
    assert "payment card in prompts" in text
    assert "block the request" in text
    assert "<img src=x onerror=alert(1)>" in text  # words, not markup
    assert page.run("document.title") == "Guarding · Drawbridge"
    assert "ticket" not in page.run("location.href")
    picture(page, "dashboard")


def test_exchanges_appear_with_their_decision_and_why(
    page: Page, shown_agent: AgentProcess, picture: Picture
) -> None:
    key = made_up_key()
    ask(shown_agent, f"my key {key}")
    page.wait("document.querySelector('#lines .line .badge')?.textContent === 'redacted'")
    row = page.run("document.querySelector('#lines .line').innerText")
    assert "openai api key in the prompt" in row
    assert "no-secrets" in row
    ask(shown_agent, f"charge the card {made_up_card()} please")
    page.wait("document.querySelector('#lines .line .badge')?.textContent === 'blocked'")
    assert "payment card" in page.run("document.getElementById('kinds').innerText")
    page.run("document.querySelectorAll('.more')[1].click()")
    page.wait("document.querySelector('.detail dl')?.innerText.includes('detector')")
    detail = page.run("document.querySelector('.detail').innerText")
    assert "1 × secret/openai_api_key in the prompt: redact, by the guardrail no-secrets" in detail
    assert key not in page.run("document.documentElement.outerHTML")
    picture(page, "dashboard-traffic")


def test_what_is_shown_can_be_narrowed(page: Page, shown_agent: AgentProcess) -> None:
    ask(shown_agent, "nothing to see")
    ask(shown_agent, f"my key {made_up_key()}")
    page.wait("document.querySelectorAll('#lines .line').length >= 2")
    page.run("document.getElementById('only').click()")
    badges = page.run("[...document.querySelectorAll('#lines .badge')].map((each) => each.textContent)")
    assert "passed" not in badges
    assert "redacted" in badges
    page.run("document.getElementById('only').click()")
    page.type("#filter", "no such program")
    assert page.run("document.querySelectorAll('#lines .line').length") == 0


def test_hosts_can_be_searched(page: Page) -> None:
    page.type("#search", "anthropic")
    shown = page.run("document.getElementById('host-list').innerText")
    assert "api.anthropic.com" in shown
    assert "api.openai.com" not in shown
    assert "fit “anthropic”" in page.run("document.getElementById('hosts-count').textContent")


def test_it_can_be_used_by_keyboard_alone(page: Page, shown_agent: AgentProcess) -> None:
    ask(shown_agent, f"my key {made_up_key()}")
    page.wait("document.querySelector('.more')")
    press(page, "Tab")
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("getComputedStyle(document.activeElement).left") == "8px"  # it is seen
    for _ in range(60):
        press(page, "Tab")
        if page.run("document.activeElement.className") == "more":
            break
    assert page.run("document.activeElement.matches(':focus-visible')")
    assert page.run("document.activeElement.getAttribute('aria-label')").startswith("Details of")
    press(page, "Enter", "\r")
    page.wait("document.querySelector('.detail')")
    assert page.run("document.activeElement.getAttribute('aria-expanded')") == "true"
    press(page, "Enter", "\r")
    assert page.run("document.querySelector('.detail')") is None


def test_a_screen_reader_finds_its_way(page: Page) -> None:
    """By the accessibility tree that the browser itself makes."""
    page.call("Accessibility.enable")
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if "role" in node
    }
    kinds = {role for role, _ in roles}
    assert {"main", "navigation", "banner", "contentinfo", "status", "table", "columnheader"} <= kinds
    assert ("searchbox", "Filter the traffic") in roles
    assert ("columnheader", "Decision, and why") in roles
    unnamed = [
        role for role, name in roles if role in ("button", "link", "checkbox", "searchbox") and not name
    ]
    assert unnamed == []


def test_a_pause_is_seen_at_once(page: Page, shown_agent: AgentProcess) -> None:
    shown_agent.control("pause", minutes=5, reason="<b>the hotel</b>")
    try:
        page.wait("document.getElementById('word').textContent === 'Paused'")
        assert "“<b>the hotel</b>”" in page.run("document.getElementById('sentence').textContent")
        assert page.run("document.querySelector('[aria-live=polite] #word') !== null")
    finally:
        shown_agent.control("resume")
    page.wait("document.getElementById('word').textContent === 'Guarding'")


def test_narrow_screens_need_no_sideways_scrolling(page: Page, picture: Picture) -> None:
    page.call("Emulation.setDeviceMetricsOverride", width=400, height=860, deviceScaleFactor=1, mobile=True)
    page.wait("innerWidth === 400")
    assert page.run("document.documentElement.scrollWidth") == 400
    picture(page, "dashboard-narrow")


def test_the_notice_is_made_of_the_policy(page: Page, shown_agent: AgentProcess, picture: Picture) -> None:
    port = urlsplit(page.run("location.href")).port
    page.go(f"http://127.0.0.1:{port}/notice")
    text = page.run("document.body.innerText")
    assert "No prompt and no answer." in text
    assert "payment card in prompts" in text
    picture(page, "notice")


def test_another_page_of_this_machine_gets_nothing(
    page: Page, browser: Chromium, shown_agent: AgentProcess, tmp_path: Path
) -> None:
    """A page on another port is of the same site to the browser: it still learns nothing."""
    (tmp_path / "index.html").write_text("<title>other</title>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    target = page.run("location.href")
    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            other = browser.page(f"http://127.0.0.1:{server.server_port}/index.html")
            tried = other.run(
                f"""Promise.all([{json.dumps(target)}, {json.dumps(target + "data/live")}].map((url) =>
                    fetch(url, {{credentials: 'include'}}).then(() => 'read', () => 'refused')))"""
            )
            cookies = other.run("document.cookie")
        finally:
            server.shutdown()
            thread.join()
    assert tried == ["refused", "refused"]
    assert cookies == ""


def test_who_comes_for_one_exchange_finds_it_unfolded(browser: Chromium, shown_agent: AgentProcess) -> None:
    ask(shown_agent, made_up_key())
    event = shown_agent.wait_for_events("exchange")[0]
    page = browser.page(f"{shown_agent.control('dashboard')['url']}#event={event.id}", first=WATCH)
    page.wait("document.querySelector('.detail')")
    assert event.id in page.run("document.querySelector('.detail').textContent")
    assert page.run("window.violations || []") == []

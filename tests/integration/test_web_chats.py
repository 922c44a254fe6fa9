"""Web chats as their pages speak: over HTTP/2, refused in their own form, noticed where they changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.fakes.chat_pages import ChatGPTPage, deltas
from tests.fakes.misbehaviour import Canned
from tests.fakes.provider import Provider
from tests.integration.agent_process import AgentProcess
from tests.integration.http2_line import Http2Line
from tests.integration.prompts import made_up_key
from tests.integration.stage import Dial, dialling

ASK = "/backend-anon/f/conversation"
STREAM = ((b"content-type", b"text/event-stream"),)
GONE = "[REDACTED:openai_api_key]"


@pytest.fixture
def page(dial: Dial) -> Http2Line:
    """A page of chatgpt.com."""
    return Http2Line(dial("chatgpt.com", alpn=("h2", "http/1.1")))


@pytest.fixture
def blocked_page(blocking_agent: AgentProcess) -> Iterator[Http2Line]:
    """The same where secrets are blocked, and what cannot be read."""
    with dialling(blocking_agent) as dial:
        yield Http2Line(dial("chatgpt.com", alpn=("h2", "http/1.1")))


def question(text: str, **more: object) -> bytes:
    content = {"content_type": "text", "parts": [text]}
    message = {"id": "u-1", "author": {"role": "user"}, "content": content}
    return json.dumps({"action": "next", "messages": [message], "conversation_id": "conv-9", **more}).encode()


def test_an_answer_by_deltas_is_redacted_and_whole(page: Http2Line, provider: Provider) -> None:
    key = made_up_key()
    pieces = ["your key ", key[:9], key[9:30], key[30:], " is here"]
    provider.script(ASK, Canned(headers=STREAM, body=tuple(deltas(pieces)), pause=0.002))
    answer = page.ask("POST", ASK, question(f"what is {key}?"))
    shown = ChatGPTPage().read(answer.body)
    assert (answer.status, answer.whole, shown.done) == (200, True, True)
    assert shown.text == f"your key {GONE} is here"
    assert all(key[:9] not in text for text in shown.seen)
    (asked,) = provider.bodies(ASK)
    assert asked == question(f"what is {GONE}?")


def test_a_refusal_stands_in_the_conversation_that_asked(blocked_page: Http2Line, provider: Provider) -> None:
    answer = blocked_page.ask("POST", ASK, question(f"what is {made_up_key()}?"))
    assert answer.status == 200
    shown = ChatGPTPage().read(answer.body)
    assert shown.text.startswith("Not here, please: openai api key in the prompt.")
    assert '"conversation_id":"conv-9"' in answer.text
    assert provider.requests == ()


def test_a_draft_is_refused_by_an_error(blocked_page: Http2Line, provider: Provider) -> None:
    draft = json.dumps({"action": "next", "partial_query": {"content": {"parts": [made_up_key()]}}}).encode()
    answer = blocked_page.ask("POST", f"{ASK}/prepare", draft)
    assert answer.status == 403
    assert "Not here, please" in json.loads(answer.body)["detail"]
    assert provider.requests == ()


def test_a_question_of_another_shape_is_noticed_and_follows_the_policy(
    blocked_page: Http2Line, blocking_agent: AgentProcess, provider: Provider
) -> None:
    known = len(blocking_agent.trail.events(kind="exchange", limit=1000))
    answer = blocked_page.ask("POST", ASK, json.dumps({"turns": [{"words": "hello"}]}).encode())
    assert "the request holds no text where its format has it" in ChatGPTPage().read(answer.body).text
    assert provider.requests == ()
    rows = blocking_agent.wait_for_events("exchange", known + 1)
    assert "no text where its format has it" in blocking_agent.event_text(rows[0])


def test_an_answer_is_asked_for_again_without_words(page: Http2Line, provider: Provider) -> None:
    path, key = f"{ASK}/resume", made_up_key()
    provider.script(path, Canned(headers=STREAM, body=tuple(deltas([f"it is {key}"]))))
    answer = page.ask("POST", path, b'{"conversation_id":"conv-9","offset":0}')
    assert ChatGPTPage().read(answer.body).text == f"it is {GONE}"
    assert provider.bodies(path) == [b'{"conversation_id":"conv-9","offset":0}']

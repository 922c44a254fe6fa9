"""The provider's side keeps what really came in and went out."""

from __future__ import annotations

import json

from agent.cli.demo.recorder import Received, Recorder
from agent.gateway.echo import EchoApp
from tests.fakes.asgi_client import AsgiClient


def received(document: object) -> Received:
    return Received(host="", path="", body=bytearray(json.dumps(document).encode()))


async def test_a_request_and_its_answer_are_kept_and_passed_on() -> None:
    recorder = Recorder(EchoApp(piece=3))
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    answer = await AsgiClient(recorder).ask(
        "/v1/chat/completions", body, headers=((b"host", b"api.openai.com"),)
    )
    [kept] = recorder.requests
    assert (kept.host, kept.path, kept.said) == ("api.openai.com", "/v1/chat/completions", "hello")
    assert kept.answer == answer
    assert "".join(kept.streamed) == "You said: hello"
    assert max(map(len, kept.streamed)) == 3


def test_what_was_said_last_is_the_last_text_of_the_messages() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "found"}]}
    messages = [{"role": "user", "content": "first"}, {"role": "user", "content": [result]}]
    assert received({"messages": messages}).said == "found"
    assert received({"messages": []}).said == received([]).said == received({"messages": "x"}).said == ""


def test_a_text_is_found_also_where_json_escapes_it() -> None:
    assert received({"a": ["x", {"b": 'say "ä"'}]}).holds('"ä"')
    assert not received({"a": "x"}).holds("y")


def test_a_body_that_is_no_json_is_searched_as_it_is() -> None:
    kept = Received(host="", path="", body=bytearray(b"secret \xff"))
    assert kept.holds("secret")
    assert kept.said == ""

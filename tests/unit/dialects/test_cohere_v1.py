"""Cohere's first API."""

from __future__ import annotations

import orjson

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.dialects.framing import ServerSentLines, SseFraming
from agent.model.content import Role, Usage
from tests.unit.dialects.feeding import (
    assert_every_slot_can_be_edited,
    read,
    repeats,
    request,
    said,
    stream,
    texts,
)

NAME = "cohere-v1"
DIALECT = DIALECTS[NAME]
REQUEST: dict[str, object] = {
    "model": "command-r",
    "message": "What now?",
    "preamble": "Be brief.",
    "chat_history": [
        {"role": "USER", "message": "Hello"},
        {"role": "CHATBOT", "message": "Hi", "tool_calls": [{"name": "w", "parameters": {"town": "Bern"}}]},
        {"role": "TOOL", "tool_results": [{"call": {"name": "w"}, "outputs": [{"sky": "blue"}]}]},
    ],
    "documents": [{"title": "T", "snippet": "found"}],
    "stream": True,
    "max_tokens": 5,
}
END = {
    "event_type": "stream-end",
    "is_finished": True,
    "finish_reason": "COMPLETE",
    "response": {"text": "I ask.", "meta": {"billed_units": {"input_tokens": 3.0, "output_tokens": 2}}},
}


def test_every_text_of_a_request_is_found() -> None:
    parsed = request(NAME, REQUEST)
    assert (parsed.model, parsed.stream, parsed.max_tokens) == ("command-r", True, 5)
    assert said(parsed.slots) == [
        (Role.USER, "What now?"),
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "Hello"),
        (Role.ASSISTANT, "Hi"),
        (Role.TOOL_CALL, "Bern"),
        (Role.TOOL_RESULT, "w"),
        (Role.TOOL_RESULT, "blue"),
        (Role.TOOL_RESULT, "T"),
        (Role.TOOL_RESULT, "found"),
    ]
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_whole_answers() -> None:
    parsed = DIALECT.parse_answer(orjson.dumps({"text": "Hi", "finish_reason": "COMPLETE", "meta": {}}))
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi")]
    parsed = DIALECT.parse_answer(orjson.dumps({"generations": [{"text": "a"}, {"text": "b"}]}))
    assert said(parsed.slots) == [(Role.ASSISTANT, "a"), (Role.ASSISTANT, "b")]


def test_the_events_of_a_stream() -> None:
    views = read(
        NAME,
        stream(
            {"event_type": "stream-start", "is_finished": False, "generation_id": "g"},
            {"event_type": "text-generation", "text": "I "},
            {"event_type": "text-generation", "text": "ask."},
            {"event_type": "tool-calls-chunk", "tool_call_delta": {"index": 0, "parameters": '{"a'}},
            {"event_type": "citation-generation", "citations": [{"text": "cited"}]},
            END,
        ),
    )
    assert texts(views) == {"text": "I ask.", "call/0": '{"a'}
    assert repeats(views) == [(Role.ASSISTANT, "cited"), (Role.ASSISTANT, "I ask.")]
    assert views[-1].final
    assert views[-1].usage == Usage(input_tokens=3, output_tokens=2)


def test_a_stream_is_of_lines_or_of_events() -> None:
    assert DIALECT.framing_of(b"application/stream+json", ParsedRequest()) is ServerSentLines
    framed = DIALECT.framing_of(b"text/event-stream", ParsedRequest())
    assert framed is not None
    assert isinstance(framed(), SseFraming)
    assert DIALECT.framing_of(b"application/json", ParsedRequest()) is None


def test_a_stopped_stream_ends_with_the_message() -> None:
    (event,) = SseFraming().feed(DIALECT.stream_reader(ParsedRequest()).block("No."))
    document = orjson.loads(event.data)
    assert (document["finish_reason"], document["response"]["text"]) == ("ERROR", "No.")

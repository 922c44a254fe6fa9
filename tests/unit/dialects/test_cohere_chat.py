"""Cohere's chat."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.dialects.sse import SseDecoder
from agent.model.content import Attachment, Role, Usage
from tests.unit.dialects.feeding import (
    assert_every_slot_can_be_edited,
    closes,
    read,
    repeats,
    request,
    said,
    stream,
    texts,
)

NAME = "cohere-chat"
DIALECT = DIALECTS[NAME]
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Bern"}'}}
REQUEST: dict[str, object] = {
    "model": "command-a-03-2025",
    "stream": True,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}},
                {"type": "novel", "text": "new"},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}],
            "tool_plan": "I ask.",
            "tool_calls": [CALL],
        },
        {
            "role": "tool",
            "tool_call_id": "c1",
            "content": [{"type": "document", "document": {"id": "1", "data": {"sky": "blue"}}}],
        },
    ],
    "documents": ["a fact", {"data": {"snippet": "another"}}],
    "tools": [{"type": "function", "function": {"name": "weather", "description": "of a town"}}],
}


def message(kind: str, index: int | None = None, **content: object) -> dict[str, object]:
    return {"type": kind, "index": index, "delta": {"message": content}}


START: dict[str, object] = {"type": "message-start", "id": "r1", "delta": {"message": {"role": "assistant"}}}
ANSWER = stream(
    START,
    message("content-start", 0, content={"type": "thinking", "thinking": ""}),
    message("content-delta", 0, content={"thinking": "hm"}),
    message("content-end", 0),
    message("tool-plan-delta", tool_plan="I "),
    message("tool-plan-delta", tool_plan="ask."),
    message("tool-call-start", 0, tool_calls=CALL | {"function": {"name": "weather", "arguments": ""}}),
    message("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"town":'}}),
    message("tool-call-delta", 0, tool_calls={"function": {"arguments": '"Bern"}'}}),
    message("tool-call-end", 0),
    message("citation-start", 0, citations={"text": "cited"}),
    {
        "type": "message-end",
        "delta": {
            "finish_reason": "TOOL_CALL",
            "usage": {"tokens": {"input_tokens": 9.0, "output_tokens": 4}},
        },
    },
    named=True,
)


def test_every_text_of_a_request_is_found() -> None:
    parsed = request(NAME, REQUEST)
    assert (parsed.model, parsed.stream) == ("command-a-03-2025", True)
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "Look"),
        (Role.USER, "new"),
        (Role.ASSISTANT, "hm"),
        (Role.ASSISTANT, "I ask."),
        (Role.TOOL_CALL, '{"town": "Bern"}'),
        (Role.TOOL_RESULT, "blue"),
        (Role.TOOL_RESULT, "a fact"),
        (Role.TOOL_RESULT, "another"),
        (Role.TOOL_CALL, "of a town"),
    ]
    assert parsed.attachments == (Attachment(kind="image", media_type="image/png", size=5),)


def test_every_text_can_be_changed() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_a_whole_answer() -> None:
    usage = {"billed_units": {"input_tokens": 5, "output_tokens": 1}, "cached_tokens": 2}
    body = {
        "finish_reason": "COMPLETE",
        "message": {"content": [{"type": "text", "text": "Hi"}], "citations": [{"text": "cited"}]},
        "usage": usage,
    }
    parsed = DIALECT.parse_answer(orjson.dumps(body))
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi"), (Role.ASSISTANT, "cited")]
    assert parsed.usage == Usage(input_tokens=5, output_tokens=1, cache_read_tokens=2)
    assert parsed.finish_reason == "COMPLETE"


def test_a_stream_in_any_chunking() -> None:
    views = read(NAME, ANSWER)
    assert texts(views) == {"content/0": "hm", "plan": "I ask.", "call/0": '{"town":"Bern"}'}
    assert closes(views) == ["content/0", "call/0", "plan"]
    assert repeats(views) == [(Role.ASSISTANT, "cited")]
    assert views[-1].final
    assert views[-1].finish_reason == "TOOL_CALL"
    assert views[-1].usage == Usage(input_tokens=9, output_tokens=4)


def blocked(*events: dict[str, object], in_step: bool = True) -> list[dict[str, object]]:
    reader = DIALECT.stream_reader(ParsedRequest())
    for event in SseDecoder().feed(stream(*events, named=True)):
        reader.read(event.event, event.data)
    return [orjson.loads(event.data) for event in SseDecoder().feed(reader.block("no", in_step=in_step))]


def test_a_block_ends_the_stream_as_an_answer() -> None:
    begin = message("content-start", 0, content={"type": "text", "text": ""})
    piece = message("content-delta", 0, content={"text": "a"})
    assert [event["type"] for event in blocked(START, begin, piece)] == [
        "content-delta",
        "content-end",
        "message-end",
    ]
    assert blocked(START, begin, piece)[0]["delta"] == {"message": {"content": {"text": "\n\nno"}}}
    fresh = blocked(START, begin, piece, message("content-end", 0))
    assert [(event["type"], event.get("index")) for event in fresh] == [
        ("content-start", 1),
        ("content-delta", 1),
        ("content-end", 1),
        ("message-end", None),
    ]


@pytest.mark.parametrize(
    ("events", "in_step"),
    [((), True), ((START,), False), ((START, message("tool-call-start", 0, tool_calls=CALL)), True)],
)
def test_a_block_that_cannot_be_an_answer_is_an_error(
    events: tuple[dict[str, object], ...], in_step: bool
) -> None:
    [end] = blocked(*events, in_step=in_step)
    assert end["delta"] == {"finish_reason": "ERROR", "error": "no", "usage": {}}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"model": "m", "query": "q", "documents": ["d", {"text": "e"}]}, ["q", "d", "e"]),
        ({"model": "m", "texts": ["t", "u"], "input_type": "search_query"}, ["t", "u"]),
        ({"model": "m", "inputs": [{"content": [{"type": "text", "text": "t"}]}]}, ["t"]),
    ],
)
def test_what_is_embedded_or_ranked(body: dict[str, object], found: list[str]) -> None:
    assert [slot.text for slot in request(NAME, body).slots] == found
    assert_every_slot_can_be_edited(NAME, body)


def test_pictures_to_embed_are_attachments() -> None:
    parsed = request(NAME, {"images": ["data:image/png;base64,aGVsbG8="]})
    assert parsed.attachments == (Attachment(kind="image", media_type="image/png", size=5),)

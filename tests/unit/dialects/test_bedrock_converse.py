"""Bedrock's Converse and ConverseStream."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest, StreamReader
from agent.dialects.eventstream import MessageDecoder, event, exception
from agent.model.content import Attachment, Role, Usage
from tests.unit.dialects.feeding import assert_every_slot_can_be_edited, closes, repeats, request, said, texts

NAME = "bedrock-converse"
DIALECT = DIALECTS[NAME]
SIGNED = {"reasoningText": {"text": "signed", "signature": "c2ln"}}
REQUEST: dict[str, object] = {
    "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"text": "Look"},
                {"image": {"format": "png", "source": {"bytes": "aGVsbG8="}}},
                {"document": {"format": "txt", "name": "note", "source": {"text": "written"}, "context": "why"}},
                {"guardContent": {"text": {"text": "guarded"}}},
                {"searchResult": {"source": "s", "title": "T", "content": [{"text": "found"}]}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": SIGNED},
                {"reasoningContent": {"reasoningText": {"text": "unsigned"}}},
                {"reasoningContent": {"redactedContent": "c2VhbA=="}},
                {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"town": "Bern"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"sky": "blue"}}, {"text": "warm"}]}}
            ],
        },
    ],
    "promptVariables": {"name": {"text": "Ada"}},
    "toolConfig": {"tools": [{"toolSpec": {"name": "weather", "description": "of a town"}}]},
}  # fmt: skip
STREAM = (
    ("messageStart", {"role": "assistant"}),
    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "signed"}}}),
    ("contentBlockStop", {"contentBlockIndex": 0}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "I "}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"text": "ask."}}),
    ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"citation": {"title": "cited"}}}),
    ("contentBlockStop", {"contentBlockIndex": 1}),
    ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"name": "weather"}}}),
    ("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{}"}}}),
    ("contentBlockStop", {"contentBlockIndex": 2}),
    ("messageStop", {"stopReason": "tool_use"}),
    ("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3}}),
)


def fed(reader: StreamReader, data: bytes) -> list[EventView]:
    return [reader.read(each.name, each.payload) for each in MessageDecoder().feed(data)]


def stream(*events: tuple[str, dict[str, object]]) -> bytes:
    return b"".join(event(name, orjson.dumps(content)) for name, content in events)


def test_every_text_of_a_request_is_found() -> None:
    parsed = request(NAME, REQUEST, path="/model/us.anthropic.claude-x-v1%3A0/converse-stream")
    assert (parsed.model, parsed.stream) == ("us.anthropic.claude-x-v1:0", True)
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be brief."),
        (Role.USER, "Look"),
        (Role.USER, "why"),
        (Role.USER, "written"),
        (Role.USER, "guarded"),
        (Role.USER, "T"),
        (Role.USER, "found"),
        (Role.ASSISTANT, "unsigned"),
        (Role.TOOL_CALL, "Bern"),
        (Role.TOOL_RESULT, "blue"),
        (Role.TOOL_RESULT, "warm"),
        (Role.USER, "Ada"),
        (Role.TOOL_CALL, "of a town"),
    ]
    assert parsed.attachments == (Attachment(kind="image", media_type="image/png", size=5),)
    assert not request(NAME, REQUEST, path="/model/m/converse").stream


def test_every_text_can_be_changed() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_a_whole_answer() -> None:
    body = {
        "output": {"message": {"content": [{"text": "Hi"}, {"citationsContent": {"content": [{"text": "so"}]}}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 2, "cacheWriteInputTokens": 3},
    }  # fmt: skip
    parsed = DIALECT.parse_answer(orjson.dumps(body))
    assert said(parsed.slots) == [(Role.ASSISTANT, "Hi"), (Role.ASSISTANT, "so")]
    assert parsed.usage == Usage(input_tokens=1, output_tokens=2, cache_write_tokens=3)
    assert parsed.finish_reason == "end_turn"


def test_the_events_of_a_stream() -> None:
    views = fed(DIALECT.stream_reader(ParsedRequest()), stream(*STREAM))
    assert texts(views) == {"block/1/text": "I ask.", "block/2/input": "{}"}
    assert closes(views) == ["block/1/text", "block/2/input"]
    assert repeats(views) == [(Role.ASSISTANT, "cited")]
    assert [view.finish_reason for view in views if view.finish_reason] == ["tool_use"]
    assert views[-1].final
    assert views[-1].usage == Usage(input_tokens=1, output_tokens=2, cache_read_tokens=3)


def test_an_exception_ends_a_stream() -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    fed(reader, stream(*STREAM[:5]))
    [view] = fed(reader, exception("throttlingException", b'{"message":"slow down"}'))
    assert view.final
    assert view.closes == ("block/1/text",)


@pytest.mark.parametrize(
    ("events", "index", "text"),
    [(5, 1, "\n\nno"), (7, 2, "no"), (1, 0, "no")],
)
def test_a_block_ends_the_stream_as_bedrocks_guardrails_do(events: int, index: int, text: str) -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    fed(reader, stream(*STREAM[:events]))
    delta, *ending = MessageDecoder().feed(reader.block("no"))
    assert orjson.loads(delta.payload) == {"contentBlockIndex": index, "delta": {"text": text}}
    assert [each.name for each in ending] == ["contentBlockStop", "messageStop"]
    assert orjson.loads(ending[-1].payload) == {"stopReason": "guardrail_intervened"}


@pytest.mark.parametrize(("events", "in_step"), [(0, True), (5, False), (2, True), (9, True)])
def test_a_block_that_cannot_be_an_answer_is_an_exception(events: int, in_step: bool) -> None:
    reader = DIALECT.stream_reader(ParsedRequest())
    fed(reader, stream(*STREAM[:events]))
    [failure] = MessageDecoder().feed(reader.block("no", in_step=in_step))
    assert (failure.kind, failure.name) == ("exception", "validationException")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, b"AccessDeniedException"),
        (413, b"ValidationException"),
        (429, b"ThrottlingException"),
        (502, b"InternalServerException"),
        (504, b"ModelTimeoutException"),
    ],
)
def test_an_error_is_of_a_kind_that_sdks_know(status: int, kind: bytes) -> None:
    block = DIALECT.error(status, "no luck")
    assert dict(block.headers)[b"x-amzn-errortype"] == kind


def test_a_count_of_tokens_is_of_the_same_request() -> None:
    body: dict[str, object] = {"input": {"converse": REQUEST}}
    counted = request(NAME, body, path="/model/m/count-tokens")
    assert said(counted.slots) == said(request(NAME, REQUEST).slots)
    assert_every_slot_can_be_edited(NAME, body)

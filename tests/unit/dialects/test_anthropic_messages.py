"""Anthropic Messages."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest
from agent.dialects.sse import SseDecoder, encode
from agent.errors import ContentError
from agent.model.content import Attachment, Role, Slot, Usage
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

NAME = "anthropic-messages"
DIALECT = DIALECTS[NAME]
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGVsbG8="}}
REQUEST: dict[str, object] = {
    "model": "claude-sonnet-5",
    "max_tokens": 100,
    "metadata": {"user_id": "user_1"},
    "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Hello"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "signed thought", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "ZW5j"},
                {"type": "text", "text": "Let me look."},
                {
                    "type": "tool_use",
                    "id": "t1",
                    "name": "Read",
                    "input": {"path": "/a", "n": 4111111111111111},
                },
                {"type": "tool_use", "id": "t2", "name": "Bash", "input": {"command": "ls"}},
                {"type": "server_tool_use", "id": "t3", "name": "web_search", "input": {"query": "weather"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "t3",
                    "content": [
                        {
                            "type": "web_search_result",
                            "url": "u",
                            "title": "Rain",
                            "encrypted_content": "ZW5j",
                        }
                    ],
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": '{"k": "v\\n"}'},
                {
                    "type": "tool_result",
                    "tool_use_id": "t2",
                    "is_error": True,
                    "content": [
                        {"type": "text", "text": "a.txt"},
                        IMAGE,
                        {
                            "type": "search_result",
                            "source": "s",
                            "title": "T",
                            "content": [{"type": "text", "text": "found"}],
                        },
                    ],
                },
                {
                    "type": "document",
                    "title": "Doc",
                    "context": "ctx",
                    "source": {"type": "text", "media_type": "text/plain", "data": "plain document"},
                },
                {
                    "type": "document",
                    "source": {"type": "content", "content": [{"type": "text", "text": "inner"}]},
                },
                {
                    "type": "document",
                    "title": "P",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "YWI="},
                },
                {"type": "image", "source": {"type": "url", "url": "https://x.example/i.png"}},
                {"type": "container_upload", "file_id": "f1"},
                {"type": "novel", "text": "seen all the same", "id": "n1"},
                {"type": "compaction", "content": "summary", "signature": "c2ln"},
                {"type": "novel", "text": "signed", "signature": "c2ln"},
            ],
        },
        {"role": "system", "content": "By the way."},
    ],
    "tools": [
        {
            "name": "Read",
            "description": "Reads a file",
            "input_schema": {
                "type": "object",
                "properties": {"path": {"type": "string", "description": "where"}},
            },
            "input_examples": [{"path": "/etc/hosts"}],
        }
    ],
    "mcp_servers": [{"url": "https://x.example", "authorization_token": "t"}],
    "stream": True,
}


def test_every_text_of_a_request_is_found_in_order_with_its_speaker() -> None:
    parsed = request(NAME, REQUEST)
    assert (parsed.model, parsed.stream) == ("claude-sonnet-5", True)
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be kind."),
        (Role.USER, "Hello"),
        (Role.ASSISTANT, "Let me look."),
        (Role.TOOL_CALL, "/a"),
        (Role.TOOL_CALL, "4111111111111111"),
        (Role.TOOL_CALL, "ls"),
        (Role.TOOL_CALL, "weather"),
        (Role.TOOL_RESULT, "Rain"),
        (Role.TOOL_RESULT, '{"k": "v\\n"}'),
        (Role.TOOL_RESULT, "v\n"),
        (Role.TOOL_RESULT, "a.txt"),
        (Role.TOOL_RESULT, "T"),
        (Role.TOOL_RESULT, "found"),
        (Role.USER, "Doc"),
        (Role.USER, "ctx"),
        (Role.USER, "plain document"),
        (Role.USER, "inner"),
        (Role.USER, "P"),
        (Role.USER, "seen all the same"),
        (Role.SYSTEM, "By the way."),
        (Role.TOOL_CALL, "Reads a file"),
        (Role.TOOL_CALL, "where"),
        (Role.TOOL_CALL, "/etc/hosts"),
    ]


def test_what_is_no_text_is_noted() -> None:
    assert request(NAME, REQUEST).attachments == (
        Attachment(kind="image", media_type="image/png", size=5),
        Attachment(kind="document", media_type="application/pdf", size=2, name="P"),
        Attachment(kind="image"),
        Attachment(kind="file", id="f1"),
    )


def test_every_slot_can_be_edited_where_it_stands() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_a_system_prompt_may_be_one_text() -> None:
    assert said(request(NAME, {"system": "Be kind."}).slots) == [(Role.SYSTEM, "Be kind.")]


def test_thinking_without_a_signature_is_a_text() -> None:
    blocks = [{"type": "thinking", "thinking": "unsigned", "signature": ""}]
    messages = [{"role": "assistant", "content": blocks}]
    assert said(request(NAME, {"messages": messages}).slots) == [(Role.ASSISTANT, "unsigned")]


def test_on_vertex_model_and_streaming_stand_in_the_path() -> None:
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude-x@1:streamRawPredict"
    parsed = request(NAME, {"messages": []}, path=path)
    assert (parsed.model, parsed.stream) == ("claude-x@1", True)


def test_a_complete_answer_is_read_and_usage_left_as_the_provider_says() -> None:
    answer = {
        "type": "message",
        "model": "claude-sonnet-5-2026",
        "content": [
            {"type": "thinking", "thinking": "signed", "signature": "c2ln"},
            {"type": "text", "text": "Hello", "citations": [{"cited_text": "quoted", "document_title": "D"}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"a": ["b"]}},
        ],
        "stop_reason": "tool_use",
        "usage": {
            "input_tokens": 10,
            "output_tokens": 20,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 200,
            "output_tokens_details": {"thinking_tokens": 5},
        },
    }
    parsed = DIALECT.parse_answer(orjson.dumps(answer))
    assert said(parsed.slots) == [
        (Role.ASSISTANT, "Hello"),
        (Role.ASSISTANT, "quoted"),
        (Role.TOOL_CALL, "b"),
    ]
    assert (parsed.model, parsed.finish_reason) == ("claude-sonnet-5-2026", "tool_use")
    assert parsed.usage == Usage(
        input_tokens=10, output_tokens=20, cache_read_tokens=1000, cache_write_tokens=200, reasoning_tokens=5
    )


def delta(index: int, kind: str, **fields: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def start(index: int, **block: object) -> dict[str, object]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def stop(index: int) -> dict[str, object]:
    return {"type": "content_block_stop", "index": index}


SEARCHED = [{"type": "web_search_result", "title": "Rain", "encrypted_content": "ZW5j"}]
STREAM = (
    {
        "type": "message_start",
        "message": {"model": "claude", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}},
    },
    {"type": "ping"},
    start(0, type="thinking", thinking="", signature=""),
    delta(0, "thinking_delta", thinking="secret thought"),
    delta(0, "signature_delta", signature="c2ln"),
    stop(0),
    start(1, type="text", text=""),
    delta(1, "text_delta", text="Hel"),
    delta(1, "citations_delta", citation={"type": "char_location", "cited_text": "quoted"}),
    delta(1, "text_delta", text="lo"),
    stop(1),
    start(2, type="tool_use", id="t", name="f", input={}),
    delta(2, "input_json_delta", partial_json=""),
    delta(2, "input_json_delta", partial_json='{"a": "\\'),
    delta(2, "input_json_delta", partial_json='n"}'),
    stop(2),
    start(3, type="web_search_tool_result", tool_use_id="s", content=SEARCHED),
    stop(3),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 42}},
    {"type": "message_stop"},
)


def test_a_stream_of_thinking_text_and_tools_is_read() -> None:
    views = read(NAME, stream(*STREAM, named=True))
    assert texts(views) == {"block/1/text": "Hello", "block/2/input": '{"a": "\\n"}'}
    assert closes(views) == ["block/1/text", "block/2/input"]
    assert repeats(views) == [(Role.ASSISTANT, "quoted"), (Role.TOOL_RESULT, "Rain")]
    assert [view.keepalive for view in views] == [at == 1 for at in range(len(views))]
    assert [view.final for view in views] == [False] * (len(views) - 1) + [True]
    assert views[0].model == "claude"
    assert views[0].usage == Usage(input_tokens=9, output_tokens=1)
    assert (views[-2].finish_reason, views[-2].usage) == ("tool_use", Usage(output_tokens=42))


def test_signed_thinking_is_passed_unseen() -> None:
    views = read(
        NAME, stream(delta(0, "thinking_delta", thinking="t"), delta(0, "signature_delta", signature="s"))
    )
    assert views == [EventView(), EventView()]


def test_deltas_say_where_they_stand_and_who_speaks() -> None:
    (text, arguments) = read(
        NAME, stream(delta(0, "text_delta", text="a"), delta(1, "input_json_delta", partial_json="{"))
    )
    assert text.deltas[0].slot == Slot(address=(("delta", "text"),), role=Role.ASSISTANT, text="a")
    assert not text.deltas[0].json_fragment
    assert arguments.deltas[0].slot == Slot(
        address=(("delta", "partial_json"),), role=Role.TOOL_CALL, text="{"
    )
    assert arguments.deltas[0].json_fragment


def test_a_block_that_begins_with_text_continues_its_channel() -> None:
    views = read(NAME, stream(start(0, type="text", text="Hel"), delta(0, "text_delta", text="lo"), stop(0)))
    assert texts(views) == {"block/0/text": "Hello"}
    assert closes(views) == ["block/0/text"]


def test_an_unknown_delta_with_text_is_seen() -> None:
    views = read(NAME, stream(delta(0, "novel_delta", text="new"), stop(0)))
    assert texts(views) == {"block/0/text": "new"}


def test_a_tool_call_that_comes_whole_is_seen() -> None:
    assert repeats(read(NAME, stream(start(0, type="tool_use", input={"q": "whole"})))) == [
        (Role.TOOL_CALL, "whole")
    ]


@pytest.mark.parametrize(
    "last", [{"type": "message_stop"}, {"type": "error", "error": {"message": "overloaded"}}]
)
def test_the_end_closes_what_is_open(last: dict[str, object]) -> None:
    views = read(NAME, stream(delta(0, "text_delta", text="a"), last))
    assert closes(views) == ["block/0/text"]
    assert views[-1].final


def _ending(*events: bytes, in_step: bool = True) -> list[tuple[str, dict[str, object]]]:
    reader = DIALECT.stream_reader(ParsedRequest())
    for event in SseDecoder().feed(b"".join(events)):
        reader.read(event.event, event.data)
    ending = SseDecoder().feed(reader.block("Blocked.", in_step=in_step))
    return [(each.event, orjson.loads(each.data)) for each in ending]


def _event(kind: str, **fields: object) -> bytes:
    return encode(kind, orjson.dumps({"type": kind, **fields}))


_START = _event("message_start", message={"model": "m", "content": []})
_TEXT_BLOCK = _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
_TOOL_BLOCK = _event(
    "content_block_start", index=0, content_block={"type": "tool_use", "name": "t", "input": {}}
)


def test_a_stopped_text_goes_on_with_the_message_and_ends_in_order() -> None:
    ending = _ending(_START, _TEXT_BLOCK)
    assert [event for event, _ in ending] == [
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert ending[0][1]["delta"] == {"type": "text_delta", "text": "\n\nBlocked."}


def test_a_stream_stopped_between_blocks_ends_with_a_block_of_its_own() -> None:
    ending = _ending(_START, _TEXT_BLOCK, _event("content_block_stop", index=0))
    assert ending[0] == (
        "content_block_start",
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    )
    assert ending[-1][0] == "message_stop"


@pytest.mark.parametrize(
    ("events", "in_step"),
    [((_START, _TOOL_BLOCK), True), ((_START, _TEXT_BLOCK), False), ((), True)],
    ids=["half a tool call", "the client is behind", "nothing began"],
)
def test_where_a_regular_end_would_lie_there_is_an_error(events: tuple[bytes, ...], in_step: bool) -> None:
    [(event, data)] = _ending(*events, in_step=in_step)
    assert event == "error"
    assert data["error"] == {"type": "invalid_request_error", "message": "Blocked."}


def test_a_stopped_stream_ends_with_an_error_event() -> None:
    (event,) = SseDecoder().feed(DIALECT.stream_reader(ParsedRequest()).block("Blocked."))
    assert event.event == "error"
    assert orjson.loads(event.data) == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Blocked."},
    }


def test_a_refusal_forbids_a_retry() -> None:
    block = DIALECT.block("Blocked.")
    assert (b"x-should-retry", b"false") in block.headers
    assert orjson.loads(block.body) == {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Blocked."},
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (413, "request_too_large"), (502, "api_error"), (504, "timeout_error")],
)
def test_an_error_has_the_type_of_its_status(status: int, kind: str) -> None:
    assert orjson.loads(DIALECT.error(status, "m").body)["error"]["type"] == kind


def batch(*models: str) -> dict[str, object]:
    asked = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    return {"requests": [{"custom_id": "c", "params": {"model": model, **asked}} for model in models]}


def test_a_batch_is_requests() -> None:
    parsed = request(NAME, batch("m", "m"))
    assert parsed.model == "m"
    assert said(parsed.slots) == [(Role.USER, "hi")] * 2
    assert_every_slot_can_be_edited(NAME, batch("m"))


def test_a_batch_of_several_models_is_none_that_rules_can_judge() -> None:
    with pytest.raises(ContentError):
        request(NAME, batch("m", "n"))


def test_the_old_endpoint_is_read_whole_and_streamed() -> None:
    dialect = DIALECTS["anthropic-messages"]
    whole = dialect.parse_answer(
        b'{"type":"completion","completion":"It is done.","stop_reason":"stop_sequence"}'
    )
    assert [slot.text for slot in whole.slots] == ["It is done."]
    reader = dialect.stream_reader(ParsedRequest())
    first = reader.read(
        "completion", b'{"type":"completion","completion":"It is","stop_reason":null,"model":"m"}'
    )
    assert [(delta.channel, delta.slot.text) for delta in first.deltas] == [("completion", "It is")]
    last = reader.read(
        "completion", b'{"type":"completion","completion":" done.","stop_reason":"stop_sequence"}'
    )
    assert (last.closes, last.finish_reason) == (("completion",), "stop_sequence")

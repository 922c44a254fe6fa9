"""OpenAI Responses."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest
from agent.dialects.sse import SseDecoder
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

NAME = "openai-responses"
DIALECT = DIALECTS[NAME]
REQUEST: dict[str, object] = {
    "model": "gpt-5-codex",
    "instructions": "Be kind.",
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Use tools."}]},
        {"role": "user", "content": "Hello"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "Look"},
                {"type": "input_image", "image_url": "data:image/png;base64,aGVsbG8="},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,YWI="},
                {"type": "input_file", "file_id": "f1"},
                {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "mp3"}},
                {"type": "novel", "text": "seen all the same"},
            ],
        },
        {
            "type": "reasoning",
            "id": "r1",
            "summary": [{"type": "summary_text", "text": "thinking aloud"}],
            "content": [{"type": "reasoning_text", "text": "thought"}],
            "encrypted_content": "ZW5j",
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes"}, {"type": "refusal", "refusal": "No"}],
        },
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"q": "a\\nb"}'},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "first result"},
        {
            "type": "function_call_output",
            "call_id": "c2",
            "output": [{"type": "input_text", "text": "second result"}],
        },
        {"type": "custom_tool_call", "call_id": "c3", "name": "apply_patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "c3", "output": "done"},
        {"type": "local_shell_call", "action": {"type": "exec", "command": ["cat", "x"], "env": {"K": "v"}}},
        {"type": "local_shell_call_output", "id": "l", "output": "contents"},
        {
            "type": "shell_call_output",
            "output": [{"stdout": "out", "stderr": "err", "outcome": {"type": "exit"}}],
        },
        {
            "type": "computer_call_output",
            "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,YQ=="},
        },
        {"type": "mcp_call", "name": "m", "arguments": "[]", "output": "mcp result", "error": None},
        {"type": "code_interpreter_call", "code": "print(1)", "outputs": [{"type": "logs", "logs": "1"}]},
        {"type": "image_generation_call", "result": "aGVsbG8=", "revised_prompt": "a cat"},
        {"type": "item_reference", "id": "i1"},
        {"type": "compaction", "encrypted_content": "ZW5j"},
        {"type": "mcp_approval_response", "approve": False, "reason": "too risky"},
        {"type": "novel_call_output", "output": "novel result"},
        "bare text",
    ],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "description": "Finds",
            "parameters": {"type": "object", "properties": {"q": {"description": "query"}}},
        }
    ],
    "prompt": {"id": "p1", "variables": {"name": "Ann", "doc": {"type": "input_text", "text": "varied"}}},
    "metadata": {"ticket": "T-1"},
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "k",
    "stream": True,
}


def test_every_text_of_a_request_is_found_in_order_with_its_speaker() -> None:
    parsed = request(NAME, REQUEST)
    assert (parsed.model, parsed.stream) == ("gpt-5-codex", True)
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be kind."),
        (Role.SYSTEM, "Use tools."),
        (Role.USER, "Hello"),
        (Role.USER, "Look"),
        (Role.USER, "seen all the same"),
        (Role.ASSISTANT, "thinking aloud"),
        (Role.ASSISTANT, "thought"),
        (Role.ASSISTANT, "Yes"),
        (Role.ASSISTANT, "No"),
        (Role.TOOL_CALL, '{"q": "a\\nb"}'),
        (Role.TOOL_CALL, "a\nb"),
        (Role.TOOL_CALL, "{}"),
        (Role.TOOL_RESULT, "first result"),
        (Role.TOOL_RESULT, "second result"),
        (Role.TOOL_CALL, "*** Begin"),
        (Role.TOOL_RESULT, "done"),
        (Role.TOOL_CALL, "exec"),
        (Role.TOOL_CALL, "cat"),
        (Role.TOOL_CALL, "x"),
        (Role.TOOL_CALL, "v"),
        (Role.TOOL_RESULT, "contents"),
        (Role.TOOL_RESULT, "out"),
        (Role.TOOL_RESULT, "err"),
        (Role.TOOL_CALL, "[]"),
        (Role.TOOL_RESULT, "mcp result"),
        (Role.TOOL_CALL, "print(1)"),
        (Role.TOOL_RESULT, "1"),
        (Role.TOOL_CALL, "a cat"),
        (Role.USER, "too risky"),
        (Role.TOOL_RESULT, "novel result"),
        (Role.USER, "bare text"),
        (Role.TOOL_CALL, "Finds"),
        (Role.TOOL_CALL, "query"),
        (Role.USER, "Ann"),
        (Role.USER, "varied"),
        (Role.USER, "T-1"),
    ]


def test_what_is_no_text_is_noted() -> None:
    assert request(NAME, REQUEST).attachments == (
        Attachment(kind="image", media_type="image/png", size=5),
        Attachment(kind="file", media_type="application/pdf", size=2, name="a.pdf"),
        Attachment(kind="file", id="f1"),
        Attachment(kind="audio", media_type="audio/mp3", size=3),
        Attachment(kind="image", media_type="image/png", size=1),
        Attachment(kind="image", media_type="image/png", size=5),
    )


def test_every_slot_can_be_edited_where_it_stands() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


def test_the_input_may_be_one_text() -> None:
    assert said(request(NAME, {"input": "Hello"}).slots) == [(Role.USER, "Hello")]


OUTPUT = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "ZW5j"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    {"type": "function_call", "name": "f", "arguments": '{"a": 1}'},
]
USAGE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 3},
    "output_tokens": 20,
    "output_tokens_details": {"reasoning_tokens": 7},
}
SAID = [(Role.ASSISTANT, "hm"), (Role.ASSISTANT, "Hello"), (Role.TOOL_CALL, '{"a": 1}')]
COUNTED = Usage(
    input_tokens=100, output_tokens=20, cache_read_tokens=80, cache_write_tokens=3, reasoning_tokens=7
)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ({"status": "completed", "incomplete_details": None}, "completed"),
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "max_output_tokens",
        ),
        ({"status": "failed"}, "failed"),
    ],
)
def test_a_complete_answer_is_read(end: dict[str, object], reason: str) -> None:
    answer = {
        "id": "resp_1",
        "model": "gpt-5",
        "instructions": "echoed",
        "output": OUTPUT,
        "usage": USAGE,
        **end,
    }
    parsed = DIALECT.parse_answer(orjson.dumps(answer))
    assert said(parsed.slots) == SAID
    assert (parsed.model, parsed.finish_reason, parsed.usage) == ("gpt-5", reason, COUNTED)


def event(kind: str, **fields: object) -> dict[str, object]:
    return {"type": f"response.{kind}", "output_index": 1, **fields}


RESPONSE = {"id": "resp_1", "created_at": 123, "model": "gpt-5", "status": "in_progress", "output": []}
STREAM: tuple[dict[str, object], ...] = (
    {"type": "response.created", "sequence_number": 0, "response": RESPONSE},
    event("output_item.added", output_index=0, item={"type": "reasoning", "summary": []}),
    event("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="hm"),
    event("reasoning_summary_text.done", output_index=0, summary_index=0, text="hm"),
    event("output_item.done", output_index=0, item=OUTPUT[0]),
    event("content_part.added", content_index=0, part={"type": "output_text", "text": ""}),
    event("output_text.delta", content_index=0, delta="Hel", logprobs=[]),
    event("output_text.delta", content_index=0, delta="lo"),
    event("output_text.done", content_index=0, text="Hello"),
    event("content_part.done", content_index=0, part={"type": "output_text", "text": "Hello"}),
    event("output_item.done", item=OUTPUT[1]),
    event("output_item.added", output_index=2, item={"type": "function_call", "arguments": ""}),
    event("function_call_arguments.delta", output_index=2, delta='{"a"'),
    event("function_call_arguments.delta", output_index=2, delta=": 1}"),
    event("function_call_arguments.done", output_index=2, arguments='{"a": 1}', name="f"),
    event("output_item.done", output_index=2, item=OUTPUT[2]),
    {
        "type": "response.completed",
        "sequence_number": 9,
        "response": {**RESPONSE, "status": "completed", "output": OUTPUT, "usage": USAGE},
    },
)


def test_a_stream_is_read_in_pieces_and_again_whole() -> None:
    views = read(NAME, stream(*STREAM, named=True))
    assert texts(views) == {
        "item/0/summary/0": "hm",
        "item/1/content/0": "Hello",
        "item/2/arguments": '{"a": 1}',
    }
    assert closes(views) == ["item/0/summary/0", "item/1/content/0", "item/2/arguments"]
    hm, hello, arguments = SAID
    assert repeats(views) == [hm, hm, hello, hello, hello, arguments, arguments, hm, hello, arguments]
    assert views[0].model == "gpt-5"
    assert [view.final for view in views] == [False] * (len(views) - 1) + [True]
    assert (views[-1].usage, views[-1].finish_reason) == (COUNTED, "completed")


def test_the_kind_of_an_event_may_stand_in_the_data_alone() -> None:
    assert read(NAME, stream(*STREAM)) == read(NAME, stream(*STREAM, named=True))


@pytest.mark.parametrize(
    ("name", "fields", "channel", "role", "fragment"),
    [
        ("refusal", {"content_index": 2}, "item/1/refusal/2", Role.ASSISTANT, False),
        ("reasoning_text", {"content_index": 0}, "item/1/reasoning/0", Role.ASSISTANT, False),
        ("mcp_call_arguments", {}, "item/1/arguments", Role.TOOL_CALL, True),
        ("custom_tool_call_input", {}, "item/1/input", Role.TOOL_CALL, False),
        ("code_interpreter_call_code", {}, "item/1/code", Role.TOOL_CALL, False),
        ("shell_call_command", {"command_index": 3}, "item/1/command/3", Role.TOOL_CALL, False),
        ("audio.transcript", {}, "item/1/transcript", Role.ASSISTANT, False),
        ("novel_text", {}, "item/1/novel_text", Role.ASSISTANT, False),
    ],
)
def test_every_kind_of_delta_has_its_channel(
    name: str, fields: dict[str, object], channel: str, role: Role, fragment: bool
) -> None:
    (view,) = read(NAME, stream(event(f"{name}.delta", delta="x", **fields)))
    (delta,) = view.deltas
    assert (delta.channel, delta.json_fragment) == (channel, fragment)
    assert delta.slot == Slot(address=(("delta",),), role=role, text="x")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("output_text", "text"),
        ("refusal", "refusal"),
        ("function_call_arguments", "arguments"),
        ("custom_tool_call_input", "input"),
        ("code_interpreter_call_code", "code"),
        ("shell_call_command", "command"),
    ],
)
def test_every_done_event_says_the_whole_and_closes(name: str, field: str) -> None:
    views = read(NAME, stream(event(f"{name}.delta", delta="who"), event(f"{name}.done", **{field: "whole"})))
    assert [text for _, text in repeats(views)] == ["whole"]
    assert closes(views) == [views[0].deltas[0].channel]


def test_a_shells_output_is_two_texts() -> None:
    name = "shell_call_output_content"
    whole = [{"stdout": "out", "stderr": "err", "outcome": {"type": "exit"}}]
    views = read(
        NAME,
        stream(
            event(f"{name}.delta", command_index=0, delta={"stdout": "out"}),
            event(f"{name}.delta", command_index=0, delta={"stderr": "err"}),
            event(f"{name}.done", command_index=0, output=whole),
        ),
    )
    assert texts(views) == {"item/1/output/0/stdout": "out", "item/1/output/0/stderr": "err"}
    assert closes(views) == ["item/1/output/0/stdout", "item/1/output/0/stderr"]
    assert repeats(views) == [(Role.TOOL_RESULT, "out"), (Role.TOOL_RESULT, "err")]


def test_binary_deltas_are_passed_unseen() -> None:
    assert read(NAME, stream(event("audio.delta", delta="AAAA"))) == [EventView()]
    assert (
        repeats(read(NAME, stream(event("image_generation_call.partial_image", partial_image_b64="AAAA"))))
        == []
    )


def test_an_unknown_event_with_text_is_seen() -> None:
    assert repeats(read(NAME, stream(event("novel.event", text="new", id="x")))) == [(Role.ASSISTANT, "new")]


def test_an_error_event_is_an_end() -> None:
    views = read(
        NAME,
        stream(event("output_text.delta", content_index=0, delta="a"), {"type": "error", "message": "m"}),
    )
    assert closes(views) == ["item/1/content/0"]
    assert views[-1].final


@pytest.mark.parametrize("sent", [0, 1, len(STREAM) - 1])
def test_a_stopped_stream_ends_with_a_failed_response_that_fits_what_was_sent(sent: int) -> None:
    reader = DIALECT.stream_reader(ParsedRequest(model="asked"))
    for document in STREAM[:sent]:
        reader.read("", orjson.dumps(document))

    (ended,) = SseDecoder().feed(reader.block("Blocked."))

    document = orjson.loads(ended.data)
    assert ended.event == document["type"] == "response.failed"
    assert document["sequence_number"] == (1 if sent else 0)
    response = document["response"]
    assert (response["status"], response["model"]) == ("failed", "gpt-5" if sent else "asked")
    assert response["id"] == ("resp_1" if sent else "resp_blocked")
    assert response["error"] == {"code": "invalid_prompt", "message": "Blocked."}
    assert DIALECT.stream_reader(ParsedRequest()).read(ended.event, ended.data).final


def test_items_for_a_kept_conversation_are_read() -> None:
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    assert said(request(NAME, {"items": [item]}).slots) == [(Role.USER, "hi")]

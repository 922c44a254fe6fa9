"""OpenAI Chat Completions."""

from __future__ import annotations

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest
from agent.dialects.sse import SseDecoder
from agent.model.content import Attachment, Edit, Role, Slot, Usage
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

NAME = "openai-chat"
DIALECT = DIALECTS[NAME]
PNG = "data:image/png;base64,aGVsbG8="
REQUEST: dict[str, object] = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Use tools."}]},
        {
            "role": "user",
            "name": "ann",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "wav"}},
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,YWI="},
                },
                {"type": "file", "file": {"file_id": "file-1"}},
                {"type": "novel", "text": "seen all the same"},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "refusal": "not that",
            "reasoning_content": "let me think",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"q": "a\\nb"}'}},
                {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "free text"}},
                {
                    "id": "c3",
                    "type": "function",
                    "function": {"name": "h", "arguments": {"object": "of Ollama"}},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": '{"rows": ["x\\ty"]}'},
        {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "second result"}]},
        {"role": "function", "name": "old", "content": "old result"},
        {"role": "novel", "content": "who am I"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "Finds things",
                "parameters": {
                    "type": "object",
                    "properties": {"q": {"type": "string", "description": "query"}},
                },
            },
        }
    ],
    "prediction": {"type": "content", "content": "predicted"},
    "metadata": {"ticket": "T-1"},
    "user": "user-1",
    "stream": True,
}


def test_every_text_of_a_request_is_found_in_order_with_its_speaker() -> None:
    parsed = request(NAME, REQUEST)
    assert (parsed.model, parsed.stream, parsed.operation) == ("gpt-5", True, "chat")
    assert said(parsed.slots) == [
        (Role.SYSTEM, "Be kind."),
        (Role.SYSTEM, "Use tools."),
        (Role.USER, "What is this?"),
        (Role.USER, "seen all the same"),
        (Role.ASSISTANT, "not that"),
        (Role.ASSISTANT, "let me think"),
        (Role.TOOL_CALL, '{"q": "a\\nb"}'),
        (Role.TOOL_CALL, "a\nb"),
        (Role.TOOL_CALL, "free text"),
        (Role.TOOL_CALL, "of Ollama"),
        (Role.TOOL_RESULT, '{"rows": ["x\\ty"]}'),
        (Role.TOOL_RESULT, "x\ty"),
        (Role.TOOL_RESULT, "second result"),
        (Role.TOOL_RESULT, "old result"),
        (Role.USER, "who am I"),
        (Role.TOOL_CALL, "Finds things"),
        (Role.TOOL_CALL, "query"),
        (Role.USER, "predicted"),
        (Role.USER, "T-1"),
    ]


def test_what_is_no_text_is_noted() -> None:
    assert request(NAME, REQUEST).attachments == (
        Attachment(kind="image", media_type="image/png", size=5),
        Attachment(kind="audio", media_type="audio/wav", size=3),
        Attachment(kind="file", media_type="application/pdf", size=2, name="a.pdf"),
        Attachment(kind="file", id="file-1"),
    )


def test_every_slot_can_be_edited_where_it_stands() -> None:
    assert_every_slot_can_be_edited(NAME, REQUEST)


@pytest.mark.parametrize(
    ("document", "path", "model", "stream_asked"),
    [
        ({"model": "m", "stream": False}, "/v1/chat/completions", "m", False),
        ({"stream": "yes"}, "/openai/deployments/my-gpt/chat/completions", "my-gpt", False),
        ({"model": 5}, "/v1/chat/completions", "", False),
    ],
)
def test_the_model_is_in_the_body_or_in_azures_path(
    document: dict[str, object], path: str, model: str, stream_asked: bool
) -> None:
    parsed = request(NAME, document, path=path)
    assert (parsed.model, parsed.stream) == (model, stream_asked)


def test_prompts_of_the_older_endpoints_are_read() -> None:
    assert said(request(NAME, {"prompt": ["a", "b"], "suffix": "c"}).slots) == [
        (Role.USER, "a"),
        (Role.USER, "b"),
        (Role.USER, "c"),
    ]


def test_signed_reasoning_is_never_a_slot() -> None:
    details = [
        {"type": "reasoning.text", "text": "signed", "signature": "c2ln"},
        {"type": "reasoning.text", "text": "unsigned"},
        {"type": "reasoning.encrypted", "data": "ZW5j"},
    ]
    messages = [{"role": "assistant", "reasoning_details": details}]
    assert said(request(NAME, {"messages": messages}).slots) == [(Role.ASSISTANT, "unsigned")]


def test_a_complete_answer_is_read() -> None:
    answer = {
        "model": "gpt-5-2026",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hello",
                    "tool_calls": [{"function": {"name": "f", "arguments": '{"a": 1}'}}],
                },
                "logprobs": {"content": [{"token": "Hello"}]},
                "finish_reason": "tool_calls",
            },
            {"index": 1, "message": {"content": [{"type": "text", "text": "Hi"}]}, "finish_reason": "stop"},
        ],
        "usage": {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": 80, "cache_write_tokens": 5},
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
    }
    parsed = DIALECT.parse_answer(orjson.dumps(answer))
    assert said(parsed.slots) == [
        (Role.ASSISTANT, "Hello"),
        (Role.TOOL_CALL, '{"a": 1}'),
        (Role.ASSISTANT, "Hi"),
    ]
    assert (parsed.model, parsed.finish_reason) == ("gpt-5-2026", "tool_calls")
    assert parsed.usage == Usage(
        input_tokens=100, output_tokens=20, cache_read_tokens=80, cache_write_tokens=5, reasoning_tokens=7
    )


def test_deepseeks_cache_hits_are_read() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4}
    parsed = DIALECT.parse_answer(orjson.dumps({"choices": [], "usage": usage}))
    assert parsed.usage == Usage(input_tokens=9, output_tokens=1, cache_read_tokens=4)


def chunk(
    delta: object = None, *, index: int = 0, finish: str | None = None, **more: object
) -> dict[str, object]:
    choice = {"index": index, "delta": {} if delta is None else delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "model": "gpt-5", "choices": [choice], **more}


def call(place: int | None, text: str, call_id: str | None = None) -> dict[str, object]:
    one: dict[str, object] = {"function": {"arguments": text}}
    if place is not None:
        one["index"] = place
    if call_id is not None:
        one["id"] = call_id
    return {"tool_calls": [one]}


def test_a_stream_of_text_and_parallel_tool_calls_is_read() -> None:
    views = read(
        NAME,
        stream(
            b": OPENROUTER PROCESSING\n\n",
            chunk({"role": "assistant", "content": ""}),
            chunk({"reasoning_content": "hm"}),
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}),
            chunk({"content": "other"}, index=1),
            chunk(call(0, "", "c1")),
            chunk(call(0, '{"q"')),
            chunk(call(1, "", "c2")),
            chunk(call(0, ': "x"}')),
            chunk(call(1, "{}")),
            chunk(finish="tool_calls"),
            chunk({"refusal": "no"}, index=1, finish="stop"),
            {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
            b"data: [DONE]\n\n",
        ),
    )
    assert views[0] == EventView(keepalive=True)
    assert texts(views) == {
        "choice/0/reasoning_content": "hm",
        "choice/0/content": "Hello",
        "choice/1/content": "other",
        "choice/0/tool/0/arguments": '{"q": "x"}',
        "choice/0/tool/1/arguments": "{}",
        "choice/1/refusal": "no",
    }
    assert closes(views) == [
        "choice/0/reasoning_content",
        "choice/0/content",
        "choice/0/tool/0/arguments",
        "choice/0/tool/1/arguments",
        "choice/1/content",
        "choice/1/refusal",
    ]
    assert [view.finish_reason for view in views if view.finish_reason] == ["tool_calls", "stop"]
    assert views[-2].usage == Usage(input_tokens=3, output_tokens=2)
    assert [view.final for view in views] == [False] * (len(views) - 1) + [True]
    assert not any(view.keepalive for view in views[1:])


def test_deltas_say_where_they_stand_and_who_speaks() -> None:
    (content, arguments) = read(NAME, stream(chunk({"content": "a"}), chunk(call(3, "{"))))
    assert content.model == "gpt-5"
    (delta,) = content.deltas
    assert delta.slot == Slot(address=(("choices", 0, "delta", "content"),), role=Role.ASSISTANT, text="a")
    assert not delta.json_fragment
    (delta,) = arguments.deltas
    path = ("choices", 0, "delta", "tool_calls", 0, "function", "arguments")
    assert delta.slot == Slot(address=(path,), role=Role.TOOL_CALL, text="{")
    assert delta.json_fragment


def test_a_new_id_at_the_same_place_is_a_new_call() -> None:
    views = read(NAME, stream(chunk(call(0, "{}", "a")), chunk(call(0, "[]", "b")), chunk(finish="stop")))
    assert texts(views) == {"choice/0/tool/0/arguments": "{}", "choice/0/tool/0.1/arguments": "[]"}
    assert closes(views) == ["choice/0/tool/0/arguments", "choice/0/tool/0.1/arguments"]


def test_calls_without_a_place_stand_in_the_order_of_the_chunk() -> None:
    both = {"tool_calls": [{"function": {"arguments": "1"}}, {"function": {"arguments": "2"}}]}
    assert texts(read(NAME, stream(chunk(both)))) == {
        "choice/0/tool/0/arguments": "1",
        "choice/0/tool/1/arguments": "2",
    }


@pytest.mark.parametrize(
    ("delta", "expected"),
    [
        ({"function_call": {"name": "f", "arguments": "{"}}, {"choice/0/function/arguments": "{"}),
        ({"audio": {"transcript": "hi", "data": "AAAA"}}, {"choice/0/audio": "hi"}),
        ({"reasoning": "a"}, {"choice/0/reasoning": "a"}),
        (
            {"reasoning_details": [{"text": "a"}, {"text": "b", "signature": "s"}]},
            {"choice/0/reasoning_details/0/text": "a"},
        ),
        (
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"choice/0/content": "ab"},
        ),
        ({"tool_calls": [{"index": 0, "custom": {"input": "free"}}]}, {"choice/0/tool/0/input": "free"}),
        ({"content": 5, "tool_calls": {}, "function_call": [], "audio": "x"}, {}),
    ],
)
def test_the_other_kinds_of_delta_are_read(delta: object, expected: dict[str, str]) -> None:
    assert texts(read(NAME, stream(chunk(delta)))) == expected


def test_parts_that_are_no_text_are_read_whole() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert repeats(read(NAME, stream(chunk({"content": [thinking]})))) == [(Role.ASSISTANT, "hm")]
    assert repeats(read(NAME, stream({"choices": [{"message": {"content": "whole"}}]}))) == [
        (Role.ASSISTANT, "whole")
    ]


def test_the_finish_reason_is_kept_beside_logprobs_and_text() -> None:
    last = {
        "choices": [
            {"index": 0, "delta": {"content": "x"}, "logprobs": {"content": []}, "finish_reason": "stop"}
        ]
    }
    (view,) = read(NAME, stream(last))
    assert (view.finish_reason, view.closes) == ("stop", ("choice/0/content",))


def test_usage_in_a_chunk_with_text_is_not_lost() -> None:
    (view,) = read(NAME, stream(chunk({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": 1})))
    assert texts([view]) == {"choice/0/content": "x"}
    assert view.usage == Usage(input_tokens=1, output_tokens=1)


def test_an_event_is_edited_in_place() -> None:
    data = orjson.dumps(chunk({"content": "my secret"}))
    (delta,) = DIALECT.stream_reader(ParsedRequest()).read("", data).deltas
    edited = DIALECT.edit_event(data, (Edit(address=delta.slot.address, start=3, end=9, replacement="[X]"),))
    assert edited == data.replace(b"my secret", b"my [X]")


def test_a_stopped_stream_ends_with_an_error_and_done() -> None:
    error, done = SseDecoder().feed(DIALECT.stream_reader(ParsedRequest()).block("Blocked.\nRef 1"))
    assert orjson.loads(error.data)["error"] == {
        "message": "Blocked.\nRef 1",
        "type": "invalid_request_error",
        "param": None,
        "code": "content_policy_violation",
    }
    assert done.data == b"[DONE]"


def test_a_refusal_carries_the_code_that_openai_has_for_one() -> None:
    assert orjson.loads(DIALECT.block("No.").body) == {
        "error": {
            "message": "No.",
            "type": "invalid_request_error",
            "param": None,
            "code": "content_policy_violation",
        }
    }
    assert orjson.loads(DIALECT.error(502, "down").body)["error"]["type"] == "server_error"

"""Whole chat completions, both ways."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from agent.errors import ContentError
from agent.model.conversation import (
    Choice,
    Finish,
    Media,
    MediaKind,
    Reply,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
)
from agent.translation.openai_chat import OpenAIChat


def read(message: object, finish: str = "stop", **fields: object) -> Choice:
    """The one choice of an answer."""
    body = {
        "id": "chatcmpl-1",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, **fields}],
    }
    (choice,) = OpenAIChat().read_answer(orjson.dumps(body)).choices
    return choice


def write(*choices: Choice, **fields: Any) -> dict[str, Any]:
    reply = Reply(id="msg_1", model="m", choices=choices, **fields)
    return dict(orjson.loads(OpenAIChat().write_answer(reply)))


def test_an_answer_as_documented() -> None:
    body = {
        "id": "chatcmpl-B9MBs8",
        "object": "chat.completion",
        "created": 1741569952,
        "model": "gpt-5",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello!", "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 19,
            "completion_tokens": 10,
            "total_tokens": 29,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "service_tier": "default",
    }
    assert OpenAIChat().read_answer(orjson.dumps(body)) == Reply(
        id="chatcmpl-B9MBs8",
        model="gpt-5",
        created=1741569952,
        choices=(Choice(parts=(Text(text="Hello!"),)),),
        usage=TokenCount(input=19, output=10, cache_read=0, reasoning=0),
    )


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": None, "refusal": "no"}, (Text(text="no", refusal=True),)),
        ({"content": "so", "reasoning_content": "hm"}, (Thinking(text="hm"), Text(text="so"))),
        (
            {
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
                    {"type": "text", "text": "so"},
                ]
            },
            (Thinking(text="hm"), Text(text="so")),
        ),
        ({"content": None, "audio": {"id": "a", "data": "AAEC", "transcript": "so"}}, (Text(text="so"),)),
        (
            {
                "content": "",
                "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}],
            },
            (Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),),
        ),
    ],
)
def test_messages(message: object, parts: tuple[object, ...]) -> None:
    assert read(message).parts == parts


def test_a_call_that_says_stop() -> None:
    """Ollama; the id is missing, too."""
    message = {"content": "", "tool_calls": [{"function": {"name": "t", "arguments": {"a": 1}}}]}
    choice = read(message)
    assert choice.parts == (ToolCall(id="call_chatcmpl-1_0_0", name="t", arguments='{"a":1}'),)
    assert choice.finish is Finish.TOOL_CALLS


def test_malformed_calls_are_no_empty_stop() -> None:
    choice = read({"content": None}, "function_call_filter: MALFORMED_FUNCTION_CALL")
    assert choice.finish is Finish.FAILED


def test_logprobs_and_the_finish_reason() -> None:
    logprobs = {"content": [{"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1}]}]}
    choice = read({"content": "a"}, "length", logprobs=logprobs)
    assert choice.finish is Finish.LENGTH
    assert choice.logprobs == (TokenLogprob(token="a", logprob=-0.5, top=(("b", -1.0),)),)


def test_writing_all_of_it() -> None:
    document = write(
        Choice(
            parts=(
                Thinking(text="hm", signature="sig"),
                Text(text="so "),
                Text(text="be it"),
                ToolCall(id="toolu_1", name="t", arguments='{"a": 1}', signature="gem"),
            ),
            finish=Finish.TOOL_CALLS,
        ),
        created=7,
        usage=TokenCount(input=1025, output=9, cache_read=1000, cache_write=20, reasoning=4),
    )
    assert document == {
        "id": "msg_1",
        "object": "chat.completion",
        "created": 7,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "so be it",
                    "refusal": None,
                    "reasoning_content": "hm",
                    "reasoning_details": [
                        {"type": "reasoning.text", "text": "hm", "signature": "sig", "index": 0}
                    ],
                    "tool_calls": [
                        {
                            "id": "toolu_1",
                            "type": "function",
                            "function": {"name": "t", "arguments": '{"a": 1}'},
                            "extra_content": {"google": {"thought_signature": "gem"}},
                        }
                    ],
                },
                "logprobs": None,
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 1025,
            "completion_tokens": 9,
            "total_tokens": 1034,
            "prompt_tokens_details": {"cached_tokens": 1000, "cache_write_tokens": 20},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
    }


def test_pictures_are_written_as_openrouter_does() -> None:
    image = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC")
    message = write(Choice(parts=(image,)))["choices"][0]["message"]
    assert message["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}}]


@pytest.mark.parametrize("body", [b"{}", b'{"choices": {}}', b'{"error": {"message": "x"}}', b"<html>"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        OpenAIChat().read_answer(body)

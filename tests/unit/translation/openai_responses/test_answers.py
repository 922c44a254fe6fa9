"""Whole answers of OpenAI Responses."""

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
from agent.translation.openai_responses.answers import read, write

ANSWER = {  # the shape in the API reference
    "id": "resp_67ccd2bed1ec8190b14f964abc054267",
    "object": "response",
    "created_at": 1741476542,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "model": "gpt-5.4",
    "output": [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "Think."}],
            "encrypted_content": "gAAA",
        },
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [
                {
                    "type": "output_text",
                    "text": "Hi",
                    "annotations": [],
                    "logprobs": [
                        {
                            "token": "Hi",
                            "bytes": [72, 105],
                            "logprob": -0.5,
                            "top_logprobs": [{"token": "Ho", "bytes": [72, 111], "logprob": -2}],
                        }
                    ],
                },
                {"type": "refusal", "refusal": "No."},
            ],
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "f",
            "arguments": '{"a":1}',
            "status": "completed",
        },
    ],
    "usage": {
        "input_tokens": 36,
        "input_tokens_details": {"cached_tokens": 12, "cache_write_tokens": 4},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 40},
        "total_tokens": 123,
    },
}


def test_an_answer_is_read() -> None:
    assert read(orjson.dumps(ANSWER)) == Reply(
        id="resp_67ccd2bed1ec8190b14f964abc054267",
        model="gpt-5.4",
        created=1741476542,
        choices=(
            Choice(
                parts=(
                    Thinking(text="Think.", sealed="gAAA", id="rs_1"),
                    Text(text="Hi"),
                    Text(text="No.", refusal=True),
                    ToolCall(id="call_1", name="f", arguments='{"a":1}'),
                ),
                finish=Finish.TOOL_CALLS,
                logprobs=(TokenLogprob(token="Hi", logprob=-0.5, top=(("Ho", -2.0),)),),
            ),
        ),
        usage=TokenCount(input=36, output=87, cache_read=12, cache_write=4, reasoning=40),
    )


@pytest.mark.parametrize(
    ("fields", "finish"),
    [
        ({"status": "completed"}, Finish.STOP),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, Finish.LENGTH),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, Finish.FILTERED),
        ({"status": "failed", "error": {"code": "server_error"}}, Finish.FAILED),
        ({"status": "cancelled"}, Finish.FAILED),
    ],
)
def test_why_it_ended(fields: dict[str, Any], finish: Finish) -> None:
    reply = read(orjson.dumps({"id": "r", "output": [], **fields}))
    assert reply.choices[0].finish is finish


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (Finish.STOP, "completed", None),
        (Finish.TOOL_CALLS, "completed", None),
        (Finish.STOP_SEQUENCE, "completed", None),
        (Finish.LENGTH, "incomplete", {"reason": "max_output_tokens"}),
        (Finish.FILTERED, "incomplete", {"reason": "content_filter"}),
        (Finish.FAILED, "failed", None),
    ],
)
def test_how_it_is_said_why_it_ended(finish: Finish, status: str, reason: object) -> None:
    reply = Reply(id="r", model="m", choices=(Choice(parts=(Text(text="a"),), finish=finish),))
    answer = orjson.loads(write(reply))
    assert (answer["status"], answer["incomplete_details"]) == (status, reason)
    assert bool(answer["error"]) is (finish is Finish.FAILED)
    assert answer["output"][0]["status"] == ("incomplete" if finish is Finish.LENGTH else "completed")


def test_an_answer_keeps_its_id_or_gets_one_that_it_always_has() -> None:
    assert orjson.loads(write(Reply(id="msg_1", model="m", choices=())))["id"] == "msg_1"
    made = [orjson.loads(write(Reply(id="", model="m", choices=(), created=5)))["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].startswith("resp_")


def test_neighbouring_texts_are_one_message_and_files_are_left_out() -> None:
    picture = Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC")
    parts = (Text(text="a"), Text(text="b"), picture, Thinking(text="hm"), Text(text="c"))
    answer = orjson.loads(write(Reply(id="r", model="m", choices=(Choice(parts=parts),))))
    assert [item["type"] for item in answer["output"]] == ["message", "reasoning", "message"]
    assert [part["text"] for part in answer["output"][0]["content"]] == ["a", "b"]
    assert len({item["id"] for item in answer["output"]}) == 3


@pytest.mark.parametrize("body", [b"", b"[]", b"data: {}"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        read(body)

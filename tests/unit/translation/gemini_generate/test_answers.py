"""Whole answers of Gemini generateContent."""

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
from agent.translation.gemini_generate.answers import read, write
from tests.fakes.response_events import candidate

ANSWER = {  # the shape in the API reference
    "candidates": [
        candidate(
            {"text": "Think.", "thought": True},
            {"text": "Hi"},
            {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "Cs0D"},
            {"inlineData": {"mimeType": "image/png", "data": "AAEC"}},
            {"executableCode": {"code": "1"}},
            finish="STOP",
            logprobsResult={
                "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.5}],
                "topCandidates": [{"candidates": [{"token": "Ho", "logProbability": -2}]}],
            },
        )
    ],
    "usageMetadata": {
        "promptTokenCount": 30,
        "toolUsePromptTokenCount": 6,
        "cachedContentTokenCount": 12,
        "candidatesTokenCount": 47,
        "thoughtsTokenCount": 40,
        "totalTokenCount": 123,
    },
    "modelVersion": "gemini-3-pro",
    "createTime": "2025-03-08T23:29:02.123456789Z",
    "responseId": "r1",
}


def test_an_answer_is_read() -> None:
    reply = read(orjson.dumps(ANSWER))
    call_id = reply.choices[0].parts[2].id  # type: ignore[union-attr]
    assert call_id.startswith("call_2_")
    assert reply == Reply(
        id="r1",
        model="gemini-3-pro",
        created=1741476542,
        choices=(
            Choice(
                parts=(
                    Thinking(text="Think."),
                    Text(text="Hi"),
                    ToolCall(id=call_id, name="f", arguments='{"a":1}', signature="Cs0D"),
                    Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
                ),
                finish=Finish.TOOL_CALLS,
                logprobs=(TokenLogprob(token="Hi", logprob=-0.5, top=(("Ho", -2.0),)),),
            ),
        ),
        usage=TokenCount(input=36, output=87, cache_read=12, reasoning=40),
    )
    assert read(orjson.dumps(ANSWER)) == reply


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", Finish.STOP),
        ("MAX_TOKENS", Finish.LENGTH),
        ("SAFETY", Finish.FILTERED),
        ("RECITATION", Finish.FILTERED),
        ("PROHIBITED_CONTENT", Finish.FILTERED),
        ("SPII", Finish.FILTERED),
        ("MALFORMED_FUNCTION_CALL", Finish.FAILED),
        ("UNEXPECTED_TOOL_CALL", Finish.FAILED),
        ("MISSING_THOUGHT_SIGNATURE", Finish.FAILED),
        ("OTHER", Finish.FAILED),
        ("A_NEW_ONE", Finish.FAILED),
    ],
)
def test_why_it_ended(reason: str, finish: Finish) -> None:
    body = {"candidates": [candidate({"text": "a"}, finish=reason)]}
    assert read(orjson.dumps(body)).choices[0].finish is finish


def test_a_malformed_call_is_never_an_empty_stop() -> None:
    body = {"candidates": [{"finishReason": "MALFORMED_FUNCTION_CALL", "index": 0}]}
    assert read(orjson.dumps(body)).choices == (Choice(parts=(), finish=Finish.FAILED),)


def test_a_blocked_prompt_is_an_answer_without_words() -> None:
    body = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    assert read(orjson.dumps(body)) == Reply(
        id="",
        model="",
        choices=(Choice(parts=(), finish=Finish.FILTERED),),
        usage=TokenCount(input=4),
    )


def test_both_spellings_are_read() -> None:
    body = {
        "candidates": [
            {
                "content": {"parts": [{"function_call": {"id": "c", "name": "f", "args": {"a_b": 1}}}]},
                "finish_reason": "STOP",
            }
        ],
        "usage_metadata": {"prompt_token_count": 3},
        "model_version": "m",
        "response_id": "r",
    }
    reply = read(orjson.dumps(body))
    assert (reply.id, reply.model, reply.usage.input) == ("r", "m", 3)
    assert reply.choices[0].parts == (ToolCall(id="c", name="f", arguments='{"a_b":1}'),)


def written(*parts: Any, **fields: Any) -> dict[str, Any]:
    choice = Choice(parts=parts, **fields)
    return orjson.loads(write(Reply(id="r", model="m", choices=(choice,))))["candidates"][0]


def test_parts_are_written() -> None:
    assert written(
        Text(text="a"),
        Text(text="No.", refusal=True),
        Thinking(text="hm", signature="gemini:Cs0D"),
        ToolCall(id="c", name="f", arguments='{"a":1}', signature="Cs0D"),
        Media(kind=MediaKind.IMAGE, media_type="image/png", data="AAEC"),
        Media(kind=MediaKind.IMAGE, media_type="image/png", url="https://a/b.png"),
    )["content"]["parts"] == [
        {"text": "a"},
        {"text": "No."},
        {"text": "hm", "thought": True, "thoughtSignature": "Cs0D"},
        {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "Cs0D"},
        {"inlineData": {"mimeType": "image/png", "data": "AAEC"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://a/b.png"}},
    ]


def test_a_call_that_cannot_be_written_is_said_to_be_malformed() -> None:
    cut = ToolCall(id="c", name="f", arguments='{"a')
    assert written(cut, finish=Finish.TOOL_CALLS)["finishReason"] == "MALFORMED_FUNCTION_CALL"
    assert written(cut, finish=Finish.LENGTH)["finishReason"] == "MAX_TOKENS"
    assert written(cut)["content"]["parts"] == []


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        (Finish.STOP, "STOP"),
        (Finish.STOP_SEQUENCE, "STOP"),
        (Finish.TOOL_CALLS, "STOP"),
        (Finish.LENGTH, "MAX_TOKENS"),
        (Finish.FILTERED, "SAFETY"),
        (Finish.FAILED, "OTHER"),
    ],
)
def test_how_it_is_said_why_it_ended(finish: Finish, reason: str) -> None:
    assert written(Text(text="a"), finish=finish)["finishReason"] == reason


def test_the_finish_is_kept_beside_logprobs() -> None:
    logprobs = (TokenLogprob(token="a", logprob=-1.0),)
    body = written(Text(text="a"), finish=Finish.LENGTH, logprobs=logprobs)
    assert body["finishReason"] == "MAX_TOKENS"
    assert body["logprobsResult"]["chosenCandidates"] == [{"token": "a", "logProbability": -1.0}]


def test_counts_are_written_apart() -> None:
    usage = TokenCount(input=30, output=87, cache_read=12, cache_write=3, reasoning=40)
    body = orjson.loads(write(Reply(id="r", model="m", choices=(), usage=usage)))
    assert body["usageMetadata"] == {
        "promptTokenCount": 30,
        "candidatesTokenCount": 47,
        "thoughtsTokenCount": 40,
        "cachedContentTokenCount": 12,
        "totalTokenCount": 117,
    }


@pytest.mark.parametrize("body", [b"", b"[]", b"data: {}"])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ContentError):
        read(body)

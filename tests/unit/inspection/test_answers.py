"""Complete answers, judged before the client sees them."""

from __future__ import annotations

import json

import orjson
import pytest

from agent.dialects import DIALECTS
from agent.inspection import AnswerVerdict, Scope, inspect_answer
from agent.model.content import Where
from agent.model.decision import Action
from tests.fakes.rulebooks import BOMB, TOY, toy_scope

CHAT = DIALECTS["openai-chat"]
GONE = "[REDACTED:toy]"


def answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    return json.dumps({"id": "c", "model": "m", "choices": [choice], "usage": usage}).encode()


def judged(body: bytes, more: str = "") -> AnswerVerdict:
    return inspect_answer(CHAT, body, toy_scope(more))


def test_a_clean_answer_is_the_very_same_and_its_facts_are_known() -> None:
    body = answer("hello")
    verdict = judged(body)
    assert verdict.body is body
    assert verdict.decision.action is Action.ALLOW
    assert (verdict.answer.usage.input_tokens, verdict.answer.usage.output_tokens) == (7, 11)
    assert (verdict.answer.model, verdict.answer.finish_reason) == ("m", "stop")


def test_a_secret_is_taken_out() -> None:
    verdict = judged(answer(f"it is {TOY}"))
    assert orjson.loads(verdict.body)["choices"][0]["message"]["content"] == f"it is {GONE}"
    assert [hit.where for hit in verdict.decision.hits] == [Where.ANSWER]
    assert not verdict.blocked


def test_a_secret_in_a_tool_calls_arguments_is_taken_out() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": [TOY]})}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    verdict = judged(json.dumps({"choices": [{"index": 0, "message": message}]}).encode())
    sent = orjson.loads(verdict.body)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(sent) == {"a": [GONE]}


def test_a_block_is_a_block() -> None:
    verdict = judged(answer(BOMB))
    assert verdict.blocked
    assert verdict.decision.reason == "bomb in the answer"


def test_observing_changes_nothing() -> None:
    body = answer(f"{BOMB} {TOY}")
    verdict = judged(body, "mode: observe")
    assert verdict.body is body
    assert not verdict.blocked
    assert verdict.decision.action is Action.BLOCK


def test_where_no_guardrail_looks_at_answers_only_the_facts_are_read() -> None:
    scope = toy_scope()
    body = answer(TOY)
    verdict = inspect_answer(
        CHAT, body, Scope(rules=scope.rules, subject=scope.subject, guardrails=(), ref="R")
    )
    assert verdict.body is body
    assert verdict.answer.usage.output_tokens == 11


@pytest.mark.parametrize("body", [b"", b"no json", b"[1]", b'{"a":1,"a":2}'])
def test_an_answer_that_cannot_be_read_passes_and_says_so(body: bytes) -> None:
    verdict = judged(body)
    assert verdict.body is body
    assert not verdict.understood


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_an_error_of_the_provider_passes_as_it_came(name: str) -> None:
    body = b'{"error": {"message": "overloaded", "type": "server_error"}}'
    assert inspect_answer(DIALECTS[name], body, toy_scope()).body is body


@pytest.mark.parametrize("how", ["allow", "block"])
def test_an_answer_that_follows_no_format_is_judged_as_text(how: str) -> None:
    assert judged(f"says {TOY}".encode(), f"unknown_format: {how}").body == f"says {GONE}".encode()


def test_an_answer_that_follows_no_format_passes_unread_where_the_policy_says_so() -> None:
    assert judged(f"says {TOY}".encode(), "unknown_format: metadata").body == f"says {TOY}".encode()

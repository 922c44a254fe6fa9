"""What judging needs from around inspection: what is kept of a prompt, and the reasons people give."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from agent.dialects import DIALECTS
from agent.inspection import RuleBook
from agent.model.decision import Action
from agent.model.record import Outcome
from tests.fakes.rulebooks import BOMB, DETECTORS, TOY, rule_book
from tests.unit.gateway.conftest import Gateway, policy

GONE = "[REDACTED:toy]"
ANSWER = b'{"id":"c","model":"m-2","choices":[]}'


def chat(text: str, **more: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()


# What is kept

CAPTURES = {"redacted": f"be careful with {GONE}", "full": f"be careful with {TOY}"}


@pytest.mark.parametrize(
    ("rules", "kept"), [(f"capture: {mode}", kept) for mode, kept in CAPTURES.items()], indirect=["rules"]
)
async def test_a_prompt_is_kept_as_policy_says(gateway: Gateway, kept: str) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat(f"be careful with {TOY}"))
    assert gateway.event.prompt == kept


@policy("capture: hash")
async def test_a_prompt_that_is_hashed_is_not_kept(gateway: Gateway) -> None:
    gateway.answers(ANSWER)
    await gateway.ask(chat(TOY))
    assert len(gateway.event.prompt) == 64


@policy("capture: redacted")
async def test_of_a_blocked_prompt_nothing_is_kept(gateway: Gateway) -> None:
    await gateway.ask(chat(f"{BOMB} {TOY}"))
    assert gateway.event.prompt == ""


# Questions

ASKING = """
schema_version: 1
id: asking
ask: {minutes: 7}
guardrails: [{id: bombs, detect: [custom/bomb], action: ask}]
detectors: [{id: bomb, pattern: 'BOMB-[0-9]{4}'}]
"""


@pytest.fixture
def asking_rules() -> RuleBook:
    """Compiled here: not in the loop."""
    return rule_book(ASKING)


@pytest.fixture
async def asking(asking_rules: RuleBook) -> AsyncIterator[Gateway]:
    made = Gateway(asking_rules)
    yield made
    made.scans.close()


async def test_a_question_refuses_the_request_and_says_how_to_go_on(asking: Gateway) -> None:
    client = await asking.ask(chat(BOMB))
    assert asking.transport.asked == []
    assert client.status == DIALECTS["openai-chat"].block("x").status
    assert b"--justify" in client.body
    assert (asking.event.decision.action, asking.event.outcome) == (Action.ASK, Outcome.BLOCKED)
    [hit] = asking.event.decision.hits
    assert len(hit.fingerprints) == 1


async def test_after_a_reason_was_given_the_same_request_passes_and_the_event_says_why(
    asking: Gateway,
) -> None:
    await asking.ask(chat(BOMB))
    [hit] = asking.event.decision.hits
    asking.reasons.given = {("bombs", hit.fingerprints[0]): "a rehearsal"}
    asking.audit.events.clear()
    asking.answers(ANSWER)
    await asking.ask(chat(BOMB))
    assert BOMB.encode() in asking.transport.asked[0].body
    assert asking.event.decision.action is Action.ALERT
    assert [each.justification for each in asking.event.decision.hits] == ["a rehearsal"]
    assert asking.reasons.asked == [7, 7]


async def test_a_reason_covers_no_other_value(asking: Gateway) -> None:
    await asking.ask(chat(BOMB))
    [hit] = asking.event.decision.hits
    asking.reasons.given = {("bombs", hit.fingerprints[0]): "a rehearsal"}
    asking.audit.events.clear()
    await asking.ask(chat(f"{BOMB} BOMB-9999"))
    assert asking.transport.asked == []
    assert {each.action: each.count for each in asking.event.decision.hits} == {
        Action.ALERT: 1,
        Action.ASK: 1,
    }


async def test_without_a_question_no_reasons_are_looked_up(asking: Gateway) -> None:
    asking.answers(ANSWER)
    await asking.ask(chat("hello"))
    assert asking.reasons.asked == []


async def test_where_the_reasons_cannot_be_read_the_question_stands(asking: Gateway) -> None:
    asking.reasons.broken = True
    await asking.ask(chat(BOMB))
    assert asking.transport.asked == []
    assert asking.event.decision.action is Action.ASK


ONE_MODEL = "guardrails: [{id: b, detect: [custom/bomb], models: [m], where: [answer], action: block}]"


@pytest.fixture
def one_model() -> RuleBook:
    return rule_book(f"schema_version: 1\nid: one-model\n{ONE_MODEL}\n{DETECTORS}")


async def test_a_guardrail_for_one_model_looks_at_its_answers_too(one_model: RuleBook) -> None:
    gateway = Gateway(one_model)
    message = {"role": "assistant", "content": BOMB}
    gateway.answers(json.dumps({"choices": [{"index": 0, "message": message}]}).encode())
    client = await gateway.ask(chat("hi"))
    gateway.scans.close()
    assert BOMB.encode() not in client.body
    assert gateway.event.decision.rule_ids == ("b",)

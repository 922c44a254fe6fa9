"""The audit trail must tell the same story as the scenes."""

from __future__ import annotations

from agent.audit import StoredEvent
from agent.cli.demo.rehearsal import disagreement
from agent.cli.demo.results import Seen, Step
from tests.fakes.demo_reports import make_event, make_step


def story(*decisions: str) -> tuple[StoredEvent, ...]:
    return tuple(make_event(decision) for decision in decisions)


STEPS: tuple[Step, ...] = (make_step(decision="allow"), make_step(decision="block"), make_step(decision=""))


def test_the_same_decisions_in_the_same_order_agree() -> None:
    assert disagreement(STEPS, story("allow", "block")) == ""


def test_an_exchange_too_few_or_too_many_is_noticed() -> None:
    assert disagreement(STEPS, story("allow")) == "2 exchanges were made, and it tells of 1"
    assert disagreement(STEPS, story("allow", "block", "allow")) == "2 exchanges were made, and it tells of 3"


def test_another_decision_is_noticed() -> None:
    assert disagreement(STEPS, story("allow", "redact")) == "of “a title” it says redact, not block"


def test_a_step_that_failed_is_not_told_twice() -> None:
    failed = make_step(decision="block", seen=Seen(problem="it was answered"))
    assert disagreement((failed,), story("allow")) == ""


def test_a_step_of_several_exchanges_is_told_of_each() -> None:
    step = make_step(decision="allow", exchanges=3)
    assert disagreement((step,), story("allow", "allow", "allow")) == ""
    assert disagreement((step,), story("allow")) == "3 exchanges were made, and it tells of 1"

"""Actions and decisions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.model.decision import Action, Decision, Hit, Severity
from tests.fakes.audit import HIT


def test_actions_rise_in_severity() -> None:
    words = ["allow", "alert", "pseudonymize", "mask", "redact", "ask", "block"]
    assert [action.word for action in sorted(Action)] == words


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_read_as_it_is_written(action: Action) -> None:
    assert Action.parse(action.word) is action
    assert action.word == action.word.lower()


def test_another_word_is_no_action() -> None:
    with pytest.raises(KeyError):
        Action.parse("deny")


def test_a_decision_allows_unless_it_says_otherwise() -> None:
    assert Decision() == Decision(action=Action.ALLOW, applied=True)


def test_every_action_above_an_alert_changes_something_in_one_of_two_ways() -> None:
    for action in Action:
        assert action.changes is (action.rewrites or action.stops)
        assert not (action.rewrites and action.stops)
    assert [action.word for action in Action if action.stops] == ["ask", "block"]


@pytest.mark.parametrize("severity", list(Severity))
def test_a_severity_is_read_as_it_is_written(severity: Severity) -> None:
    assert Severity.parse(severity.word) is severity


def test_a_graver_action_is_never_less_severe() -> None:
    severities = [Severity.of(action) for action in sorted(Action)]
    assert severities == sorted(severities)
    assert (severities[0], severities[-1]) == (Severity.INFO, Severity.MEDIUM)


def hit(action: Action, severity: Severity, *, shadow: bool = False) -> Hit:
    return replace(HIT, action=action, severity=severity, shadow=shadow)


def test_a_decision_is_as_severe_as_its_gravest_hit_that_counts() -> None:
    critical = hit(Action.BLOCK, Severity.CRITICAL, shadow=True)
    low, info = hit(Action.ALERT, Severity.LOW), hit(Action.ALERT, Severity.INFO)
    assert Decision(action=Action.ALERT, hits=(critical, low, info)).severity is Severity.LOW
    assert Decision(action=Action.ALERT, hits=(info,)).severity is Severity.INFO


def test_a_decision_that_is_no_hits_is_as_severe_as_its_action() -> None:
    assert Decision(action=Action.BLOCK).severity is Severity.MEDIUM
    low = hit(Action.ALERT, Severity.LOW)
    assert Decision(action=Action.BLOCK, hits=(low,)).severity is Severity.MEDIUM


def test_what_is_only_observed_stops_nothing() -> None:
    assert Decision(action=Action.ASK).stops
    assert not Decision(action=Action.ASK, applied=False).stops
    assert not Decision(action=Action.REDACT).stops


def test_of_two_decisions_the_graver_names_the_action_and_both_keep_their_hits() -> None:
    first = Decision(action=Action.REDACT, reason="first", rule_ids=("a", "b"))
    second = Decision(action=Action.BLOCK, reason="second", message="no", rule_ids=("b", "c"), applied=False)
    both = first.joined(second)
    assert (both.action, both.reason, both.message) == (Action.BLOCK, "second", "no")
    assert (both.rule_ids, both.applied) == (("a", "b", "c"), False)
    assert second.joined(first).reason == "second"


def test_of_two_equal_decisions_the_first_to_say_why_is_heard() -> None:
    assert Decision(reason="first").joined(Decision(reason="second")).reason == "first"
    assert Decision().joined(Decision(reason="second")).reason == "second"

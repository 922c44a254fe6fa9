"""Actions and decisions."""

from __future__ import annotations

import pytest

from agent.model.decision import Action, Decision


def test_actions_rise_in_severity() -> None:
    assert sorted(Action) == [Action.ALLOW, Action.ALERT, Action.REDACT, Action.BLOCK]


@pytest.mark.parametrize("action", list(Action))
def test_an_action_is_read_as_it_is_written(action: Action) -> None:
    assert Action.parse(action.word) is action
    assert action.word == action.word.lower()


def test_another_word_is_no_action() -> None:
    with pytest.raises(KeyError):
        Action.parse("deny")


def test_a_decision_allows_unless_it_says_otherwise() -> None:
    assert Decision() == Decision(action=Action.ALLOW, applied=True)


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

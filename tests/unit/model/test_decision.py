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

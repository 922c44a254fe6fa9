"""Findings of a stream are counted once, and stop it only where the policy is enforced."""

from __future__ import annotations

import pytest

from agent.inspection.stream_judge import StreamJudge
from agent.inspection.verdicts import Tally
from agent.model.content import Role
from agent.model.decision import Action
from tests.fakes.rulebooks import BOMB, TOY, toy_scope


@pytest.mark.parametrize(
    ("more", "action", "blocking"), [("", Action.BLOCK, True), ("mode: observe", Action.ALLOW, False)]
)
def test_what_must_not_go_out_stops_the_stream_where_the_policy_is_enforced(
    more: str, action: Action, blocking: bool
) -> None:
    scope = toy_scope(more)
    judge = StreamJudge(Tally(scope))
    [bomb] = scope.rules.scan(BOMB)
    assert (judge(bomb, Role.ASSISTANT), judge.blocking) == (action, blocking)


def test_what_is_said_again_is_not_counted_again() -> None:
    scope = toy_scope()
    tally = Tally(scope)
    judge = StreamJudge(tally)
    [toy] = scope.rules.scan(TOY)
    assert [judge.again(toy, Role.ASSISTANT) for _ in range(3)] == [Action.REDACT] * 3
    assert [hit.count for hit in tally.decision().hits] == [1]

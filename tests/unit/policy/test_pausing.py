"""What the policy says of pauses."""

from __future__ import annotations

import pytest

from agent.policy.pausing import PauseAllow, Pausing


@pytest.mark.parametrize(
    ("allow", "minutes", "reason", "problem"),
    [
        (PauseAllow.NEVER, 1, "x", "the policy allows no pause"),
        (PauseAllow.YES, 60, "", ""),
        (PauseAllow.YES, 61, "", "the policy allows a pause of at most 60 minutes"),
        (PauseAllow.WITH_REASON, 5, " ", "the policy allows a pause only with a reason"),
        (PauseAllow.WITH_REASON, 5, "x", ""),
    ],
)
def test_a_pause_is_had_or_not(allow: PauseAllow, minutes: int, reason: str, problem: str) -> None:
    assert Pausing(allow=allow).problem(minutes, reason) == problem

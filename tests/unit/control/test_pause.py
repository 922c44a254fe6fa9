"""When a pause is over: both clocks bound it, and the policy in force."""

from __future__ import annotations

import pytest

from agent.control.pause import begun, seconds_left
from agent.errors import ConfigError
from agent.policy.pausing import PauseAllow, Pausing

RULES = Pausing(allow=PauseAllow.WITH_REASON, max_minutes=30)
START, UP = 1_000_000.0, 5_000.0


def left(now: float, up: float, *, minutes: int = 10, rules: Pausing = RULES) -> float:
    """What is left of a pause that began at START, UP."""
    pause = begun(RULES, minutes=minutes, reason="x", user="ann", uid=7, now=START, up=UP)
    return seconds_left(pause, rules, now=START + now, up=UP + up)


@pytest.mark.parametrize(
    ("now", "up", "expected"),
    [
        (0, 0, 600),
        (60, 60, 540),
        (600, 600, 0),
        (-86_400, 60, 540),  # the clock was set back
        (-86_400, 600, 0),
        (86_400, 60, 0),  # and forth
        (700, 60, 0),
        (60, -1, 0),  # the machine was restarted
    ],
)
def test_neither_clock_alone_makes_it_longer(now: float, up: float, expected: float) -> None:
    assert left(now, up) == expected


def test_a_policy_that_allows_less_shortens_it() -> None:
    assert left(60, 60, minutes=30, rules=Pausing(allow=PauseAllow.YES, max_minutes=5)) == 240
    assert left(60, 60, rules=Pausing(allow=PauseAllow.NEVER)) == 0


def test_a_file_that_says_more_than_policy_allows_is_not_believed() -> None:
    long = Pausing(allow=PauseAllow.YES, max_minutes=1440)
    pause = begun(long, minutes=1440, reason="x", user="ann", uid=7, now=START, up=UP)
    assert seconds_left(pause, RULES, now=START, up=UP) == 1800
    assert seconds_left(pause, RULES, now=START, up=UP + 1800) == 0


@pytest.mark.parametrize(
    ("minutes", "reason", "said"),
    [(31, "x", "at most 30"), (5, "", "with a reason"), (5, " \n ", "with a reason")],
)
def test_what_the_policy_does_not_allow_does_not_begin(minutes: int, reason: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        begun(RULES, minutes=minutes, reason=reason, user="ann", uid=7, now=START, up=UP)


def test_a_reason_is_one_line() -> None:
    pause = begun(RULES, minutes=5, reason=" a\n b ", user="ann", uid=7, now=START, up=UP)
    assert pause.reason == "a b"

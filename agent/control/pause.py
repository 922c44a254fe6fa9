"""The rules of a pause: when it may begin, when it is over. Values in, values out.

Two clocks bound it. The wall clock says when it ends; the time since the machine was started says that no more than its
length has passed, whatever becomes of the wall clock. A machine that was restarted guards again.
"""

from __future__ import annotations

from agent.errors import ConfigError
from agent.host.pause_file import Pause
from agent.policy.pausing import PauseAllow, Pausing


def begun(rules: Pausing, *, minutes: int, reason: str, user: str, uid: int, now: float, up: float) -> Pause:
    """A pause that begins now. Raises ConfigError where the policy does not allow it."""
    reason = " ".join(reason.split())
    if problem := rules.problem(minutes, reason):
        raise ConfigError(problem, hint=_HINTS[rules.allow].format(minutes=rules.max_minutes))
    seconds = minutes * 60.0
    return Pause(
        begun_at=now,
        ends_at=now + seconds,
        begun_up=up,
        ends_up=up + seconds,
        user=user,
        uid=uid,
        reason=reason,
    )


_HINTS = {
    PauseAllow.NEVER: "Ask whoever is responsible for the policy.",
    PauseAllow.WITH_REASON: "Say why: --reason TEXT, and at most {minutes} minutes.",
    PauseAllow.YES: "Ask for {minutes} minutes at most.",
}


def seconds_left(pause: Pause, rules: Pausing, *, now: float, up: float) -> float:
    """How long the pause lasts yet under the policy in force; 0 where it is over."""
    if rules.problem(1, pause.reason) or up < pause.begun_up:
        return 0.0
    most = rules.max_minutes * 60.0
    left = min(pause.ends_at - now, pause.ends_up - up, pause.begun_up + most - up, most)
    return max(left, 0.0)

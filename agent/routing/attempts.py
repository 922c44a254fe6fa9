"""One request's way through its plan: what to try next after each failure, until an answer or the limits end it.

A state machine without a clock: `now` is monotonic seconds, and what is random is given. Every `Try` that `next` or
`hedge` hands out is owed one report: `succeeded`, `failed` or `abandoned`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.model.direct import direct
from agent.model.record import Attempt
from agent.routing.failures import Cause, Failure, Remedy
from agent.routing.plan import Candidate, KeyRef, Plan

_NOT_SENT = frozenset({Cause.UNTRANSLATABLE, Cause.BUDGET, Cause.SECRET})
_LIMITED = frozenset({Cause.RATE_LIMITED, Cause.BUSY})
ABANDONED = "abandoned"
"""In a trail: given up because another try of the same request was faster."""


@direct
@dataclass(frozen=True, slots=True)
class Try:
    """Send the request there. `number` counts the tries of the request from 1, `place` is the candidate's in the
    plan."""

    candidate: Candidate
    key: KeyRef
    number: int
    place: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so long, then ask again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """Nothing is left to try. `failure` is why the first candidate did not serve, whatever became of the others."""

    failure: Failure
    candidate: Candidate
    place: int


class Attempts:
    """See the module."""

    __slots__ = (
        "_causes",
        "_dead",
        "_draw",
        "_emptied",
        "_key",
        "_limits",
        "_not_before",
        "_over",
        "_place",
        "_plan",
        "_ready",
        "_started",
        "_trail",
        "_tried",
        "_tried_at",
    )

    def __init__(self, plan: Plan, *, now: float, draw: Callable[[], float]) -> None:
        """`draw` gives numbers from 0 to 1."""
        self._plan = plan
        self._limits = plan.limits
        self._started = now
        self._draw = draw
        self._place = 0
        self._key: KeyRef | None = None  # the one to stay with
        self._tried = 0
        self._tried_at = [0] * len(plan.candidates)
        self._dead: set[tuple[str, str]] = set()  # provider and key: no more for this request
        self._ready: dict[tuple[int, str], float] = {}  # place and key: when a limited one may be asked again
        self._not_before = now
        self._causes: dict[int, Failure] = {}  # by place, the last one
        self._emptied = False
        self._over = False
        self._trail: list[Attempt] = []

    @property
    def trail(self) -> tuple[Attempt, ...]:
        """What has been tried and how it ended, in the order in which it did."""
        return tuple(self._trail)

    def next(self, now: float) -> Try | Wait | GaveUp:
        """What to do now."""
        while not self._over and self._may_try(now):
            candidate = self._plan.candidates[self._place]
            if self._tried_at[self._place] >= self._limits.tries_each:
                self._move_on(now)
                continue
            if self._not_before > now:
                return Wait(self._not_before - now)
            if self._key is None or self._is_dead(candidate, self._key):
                self._key = self._free_key(candidate, self._place, now)
            if self._key is not None:
                return self._issue(candidate, self._key, self._place)
            self._all_had_their_turn(candidate, now)
        self._over = True
        return self._gave_up(now)

    def hedge(self, now: float) -> Try | None:
        """A second try beside the one under way: with the next candidate, else with another key."""
        if self._over or not self._may_try(now):
            return None
        for place in (self._place + 1, self._place):
            if place >= len(self._plan.candidates) or self._tried_at[place] >= self._limits.tries_each:
                continue
            candidate = self._plan.candidates[place]
            under_way = self._key if place == self._place else None
            key = self._free_key(candidate, place, now, other_than=under_way)
            if key is not None:
                return self._issue(candidate, key, place)
        return None

    def elsewhere(self, at: float) -> bool:
        """Whether another candidate could still be tried at that time."""
        return (
            not self._over
            and self._place + 1 < len(self._plan.candidates)
            and self._tried < self._limits.tries_total
            and at < self._started + self._limits.budget
        )

    def succeeded(self, attempt: Try, *, status: int, ms: float) -> None:
        """The try was answered."""
        self._over = True
        self._note(attempt, status, "", ms)

    def abandoned(self, attempt: Try, *, ms: float) -> None:
        """The try was given up because another one was answered."""
        self._note(attempt, 0, ABANDONED, ms)

    def failed(self, attempt: Try, failure: Failure, *, now: float, ms: float, final: bool = False) -> None:
        """The try came to nothing. `final`: whatever the reason, the request must not be sent again."""
        self._note(attempt, failure.status, failure.cause.value, ms)
        self._causes[attempt.place] = failure
        if final:
            self._over = True
            return
        if failure.cause in _NOT_SENT:
            self._tried -= 1
            self._tried_at[attempt.place] -= 1
        remedy = failure.remedy
        if remedy is Remedy.DROP_KEY:
            self._dead.add((attempt.candidate.provider.id, attempt.key.name))
        elif remedy is Remedy.ROTATE:
            pause = failure.retry_after or self._backoff(attempt.place)
            self._ready[attempt.place, attempt.key.name] = now + pause
        if attempt.place == self._place:
            self._go_on(attempt, failure, now)

    # Inside

    def _go_on(self, attempt: Try, failure: Failure, now: float) -> None:
        match failure.remedy:
            case Remedy.NONE:
                self._over = True
            case Remedy.NAMED:
                place = max(self._place + 1, self._plan.explicit)
                if place < len(self._plan.candidates):
                    self._move_on(now, place)
                else:
                    self._over = True
            case Remedy.ELSEWHERE:
                self._move_on(now)
            case Remedy.ELSEWHERE_ONCE:
                self._once_more(attempt, now)
            case Remedy.SAME_KEY:
                self._pause(max(self._backoff(self._place), failure.retry_after or 0.0), now)
            case Remedy.ROTATE | Remedy.DROP_KEY:
                if self._key is not None and self._key.name == attempt.key.name:
                    self._key = None

    def _may_try(self, now: float) -> bool:
        if self._place >= len(self._plan.candidates) or self._tried >= self._limits.tries_total:
            return False
        return self._tried == 0 or now < self._started + self._limits.budget

    def _issue(self, candidate: Candidate, key: KeyRef, place: int) -> Try:
        self._tried += 1
        self._tried_at[place] += 1
        return Try(candidate, key, self._tried, place)

    def _is_dead(self, candidate: Candidate, key: KeyRef) -> bool:
        return (candidate.provider.id, key.name) in self._dead

    def _free_key(
        self, candidate: Candidate, place: int, now: float, *, other_than: KeyRef | None = None
    ) -> KeyRef | None:
        """The first key that may be asked now."""
        for key in candidate.keys:
            if key is other_than or self._is_dead(candidate, key):
                continue
            if self._ready.get((place, key.name), now) <= now:
                return key
        return None

    def _all_had_their_turn(self, candidate: Candidate, now: float) -> None:
        """No key may be asked now: wait for the one that may be soonest, if any lives."""
        times = [
            self._ready[self._place, key.name] for key in candidate.keys if not self._is_dead(candidate, key)
        ]
        if times:
            self._pause(min(times) - now, now)
            return
        last = self._causes.get(self._place)
        status = last.status if last is not None else 0
        message = "refused every key" if status else "has no key that can be used"
        self._causes[self._place] = Failure(cause=Cause.EXHAUSTED, status=status, message=message)
        self._move_on(now)

    def _pause(self, seconds: float, now: float) -> None:
        """Wait so long before the next try here; or go elsewhere, where it takes too long."""
        late = now + seconds >= self._started + self._limits.budget
        patience = self._limits.backoff_max * 1.2
        if late or (seconds > patience and self._place + 1 < len(self._plan.candidates)):
            self._move_on(now)
        else:
            self._not_before = now + seconds

    def _once_more(self, attempt: Try, now: float) -> None:
        if self._emptied:
            self._over = True
            return
        self._emptied = True
        if self._place + 1 < len(self._plan.candidates):
            self._move_on(now)
            return
        other = self._free_key(attempt.candidate, self._place, now, other_than=attempt.key)
        self._key = other or attempt.key

    def _move_on(self, now: float, place: int | None = None) -> None:
        self._place = self._place + 1 if place is None else place
        self._key = None
        self._not_before = now

    def _backoff(self, place: int) -> float:
        """Doubles with each try at a candidate; spread, so that many clients do not come back at the same moment."""
        doubled = self._limits.backoff_initial * (1 << min(max(self._tried_at[place] - 1, 0), 30))
        return min(doubled, self._limits.backoff_max) * (0.8 + 0.4 * self._draw())

    def _gave_up(self, now: float) -> GaveUp:
        place = min(self._causes)
        failure, candidate = self._causes[place], self._plan.candidates[place]
        times = [at for (where, _), at in self._ready.items() if where == place]
        if failure.cause in _LIMITED and times:
            failure = replace(failure, retry_after=max(min(times) - now, 0.0))
        return GaveUp(failure, candidate, place)

    def _note(self, attempt: Try, status: int, failure: str, ms: float) -> None:
        candidate = attempt.candidate
        self._trail.append(
            Attempt(
                provider=candidate.provider.id,
                model=candidate.model,
                key=attempt.key.name,
                status=status,
                failure=failure,
                ms=round(ms, 3),
            )
        )

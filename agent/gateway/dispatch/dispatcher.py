"""Has a request answered: tries, waits, goes elsewhere, as `routing.attempts` says, until there is an answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

from agent.gateway.dispatch.outcome import Dispatched, DispatchFailed
from agent.gateway.dispatch.ports import Credentials, Order
from agent.gateway.dispatch.trial import Committed, Setback, Trial
from agent.gateway.transport.base import Transport
from agent.host.tasks import TaskGroup
from agent.routing.attempts import Attempts, GaveUp, Try, Wait
from agent.routing.failures import ANSWERS
from agent.routing.health import HealthBook


class Dispatcher:
    """Composed once; any number of requests at a time."""

    def __init__(
        self,
        transport: Transport,
        credentials: Credentials,
        health: HealthBook,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """`clock` is monotonic, `wall` Unix time (for dates in `retry-after`), `draw` gives numbers from 0 to 1."""
        self._trial = Trial(transport, credentials, health, clock=clock, wall=wall)
        self._clock = clock
        self._sleep = sleep
        self._draw = draw
        self._tasks = TaskGroup("dispatch")

    async def send(self, order: Order) -> Dispatched:
        """An answer to the order. Raises DispatchFailed. Cancelled, it leaves no connection open."""
        attempts = Attempts(order.plan, now=self._clock(), draw=self._draw)
        kept: dict[int, tuple[Try, Setback]] = {}  # by place: answers that are the client's to see
        hedged = order.plan.limits.hedge_after is not None and order.repeatable
        while True:
            match attempts.next(self._clock()):
                case Try() as attempt if hedged:
                    done = await _Race(self._trial, self._tasks, self._clock, order, attempts, kept).run(
                        attempt
                    )
                case Try() as attempt:
                    outcome = await self._trial.run(
                        order, attempt, first_token=_first_token(attempts, order, self._clock())
                    )
                    done = _noted(attempts, order, attempt, outcome, kept, self._clock())
                case Wait(seconds):
                    await self._sleep(seconds)
                    continue
                case GaveUp() as end:
                    return _last_word(end, attempts, kept)
            if done is not None:
                return done

    async def aclose(self) -> None:
        """End what is under way."""
        await self._tasks.cancel()


def _first_token(attempts: Attempts, order: Order, now: float) -> float | None:
    """How long the first content may take: without end, where nobody else could be asked then."""
    seconds = order.plan.limits.first_token
    return seconds if order.repeatable and attempts.elsewhere(now + seconds) else None


def _noted(
    attempts: Attempts,
    order: Order,
    attempt: Try,
    outcome: Committed | Setback,
    kept: dict[int, tuple[Try, Setback]],
    now: float,
) -> Dispatched | None:
    """Tell the attempts how one ended; the answer, if it did in one."""
    if isinstance(outcome, Committed):
        attempts.succeeded(attempt, status=outcome.status, ms=outcome.ms)
        return Dispatched(
            response=outcome.response,
            candidate=attempt.candidate,
            key=attempt.key,
            prepared=outcome.prepared,
            trail=attempts.trail,
            first_token_ms=outcome.first_token_ms,
        )
    if outcome.answer is not None:
        kept[attempt.place] = (attempt, outcome)
    final = outcome.sent and not order.repeatable
    attempts.failed(attempt, outcome.failure, now=now, ms=outcome.ms, final=final)
    return None


def _last_word(end: GaveUp, attempts: Attempts, kept: dict[int, tuple[Try, Setback]]) -> Dispatched:
    """The provider's own answer, where the first candidate failed with one that is the client's to see."""
    if end.failure.cause in ANSWERS and end.place in kept:
        attempt, setback = kept[end.place]
        if setback.answer is not None and setback.prepared is not None:
            return Dispatched(
                response=setback.answer,
                candidate=attempt.candidate,
                key=attempt.key,
                prepared=setback.prepared,
                trail=attempts.trail,
            )
    raise DispatchFailed(end.failure, end.candidate, attempts.trail)


class _Race:
    """A try, and a second one beside it when the first takes long. Who has content first wins; the other is
    cancelled."""

    def __init__(
        self,
        trial: Trial,
        tasks: TaskGroup,
        clock: Callable[[], float],
        order: Order,
        attempts: Attempts,
        kept: dict[int, tuple[Try, Setback]],
    ) -> None:
        self._trial = trial
        self._tasks = tasks
        self._clock = clock
        self._order = order
        self._attempts = attempts
        self._kept = kept
        self._running: dict[asyncio.Task[Committed | Setback], tuple[Try, float]] = {}

    async def run(self, first: Try) -> Dispatched | None:
        """The winner's answer; None where both came to nothing."""
        self._start(first)
        try:
            done, _ = await asyncio.wait(self._running, timeout=self._order.plan.limits.hedge_after)
            if not done and (second := self._attempts.hedge(self._clock())) is not None:
                self._start(second)
            while self._running:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=lambda each: self._running[each][0].number):
                    attempt, _ = self._running.pop(task)
                    outcome = task.result()
                    if isinstance(outcome, Committed):
                        await self._drop_losers(outcome)
                    answer = _noted(self._attempts, self._order, attempt, outcome, self._kept, self._clock())
                    if answer is not None:
                        return answer
            return None
        finally:
            await self._drop_others()

    def _start(self, attempt: Try) -> None:
        now = self._clock()
        first_token = _first_token(self._attempts, self._order, now)
        task = self._tasks.spawn(
            self._trial.run(self._order, attempt, first_token=first_token), name=f"try-{attempt.number}"
        )
        self._running[task] = (attempt, now)

    async def _drop_losers(self, winner: Committed) -> None:
        try:
            await self._drop_others()
        except BaseException:
            await winner.response.aclose()
            raise

    async def _drop_others(self) -> None:
        while self._running:
            task, (attempt, since) = self._running.popitem()
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and task.exception() is None:
                outcome = task.result()
                if isinstance(outcome, Committed):
                    await outcome.response.aclose()
            self._attempts.abandoned(attempt, ms=(self._clock() - since) * 1000.0)

"""Makes ready, in a thread, what the first exchanges under a policy can go on without, but would wait for.

It is a fifth of an engine's memory (automata for streams, the injection model) and half a second of its CPU. On a
device that asks no model, neither is ever taken: there it begins when the first client is here, and is done before a
model has thought.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from agent.host.collector import settle_in
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook

_PAUSE = 0.001  # seconds, after each step: other threads come to their turn
_GRACE = 0.1  # seconds in which the request that woke us goes on its way undisturbed


class Warming:
    """Warms the rules in force, once each. `waits`: not before the first client."""

    def __init__(self, tasks: TaskGroup, *, waits: bool) -> None:
        self._tasks = tasks
        self._waits = waits
        self._cold: RuleBook | None = None
        self._stopped = threading.Event()
        self._settled = False

    def prepare(self, rules: RuleBook) -> None:
        """`rules` are in force from now on."""
        self._cold = rules
        if not self._waits:
            self._begin()

    def meet(self) -> None:
        """A client is here. To be called on the loop, as often as one comes."""
        if self._waits:
            self._waits = False
            self._begin(after=_GRACE)

    def stop(self) -> None:
        """The agent ends: what is under way is given up."""
        self._stopped.set()

    def _begin(self, after: float = 0.0) -> None:
        if self._cold is not None:
            self._tasks.spawn(self._warm(self._cold, after), name="warm-rules")
            self._cold = None

    async def _warm(self, rules: RuleBook, after: float) -> None:
        await asyncio.sleep(after)
        await asyncio.to_thread(self._make, rules)
        if not self._settled:
            self._settled = True
            await asyncio.to_thread(settle_in)

    def _make(self, rules: RuleBook) -> None:
        with suppress(_StoppedError):
            rules.warm(self._pause)

    def _pause(self) -> None:
        if self._stopped.wait(_PAUSE):
            raise _StoppedError


class _StoppedError(Exception):
    """The agent is about to end."""

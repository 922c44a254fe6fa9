"""One supervisor: holds the ports, keeps an engine running behind them, and is told what to do by signals.

An engine that dies is started again at once; one that dies of its start later and later. While none serves for more
than a moment the stand-in answers. In a crash loop it goes on answering, what was changed in the OS is taken back, and
the engine is tried rarely, or when somebody asks.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from agent.errors import HostError
from agent.host.beats import REPLACE, parse_beat
from agent.host.offspring import Offspring
from agent.host.tasks import TaskGroup
from agent.supervisor.notify import Notifier
from agent.supervisor.restarts import Limits, Restarts
from agent.supervisor.standin import StandIn
from agent.supervisor.vitals import Bounds, Vitals

log = logging.getLogger(__name__)

_ROUND = 0.5  # seconds between looks at the engine
_AWAY = 3.0  # seconds without an engine after which the stand-in answers …
_PLANNED = 30.0  # … and where the engine is replaced on purpose: until then clients wait in the queue
_SLEPT = 30.0  # seconds that the clock jumped between two looks: the machine was asleep
_CLOCK_SET = 60.0  # seconds by which the clock must have moved to be worth another try
_END = 20.0  # seconds for an engine to end in order
_DEATHS_WITHIN = 3600.0  # seconds in which unexpected ends are told to the next engine
_MOST_DEATHS = 100

REPLACEABLE = (
    (signal.SIGINT, signal.SIGTERM)
    if sys.platform == "win32"
    else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)
)
"""Signals that must wait while one program takes over from another: unheard, they would end it."""

type Start = Callable[[], Awaitable[Offspring]]
type Act = Callable[[], Coroutine[object, object, None]]


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What a supervisor works with. `start` starts an engine; `serving` is called when one serves, and may change the
    OS's settings; `restore` takes back what was changed."""

    start: Start
    standin: StandIn
    serving: Act = _nothing
    restore: Act = _nothing
    gone: Act = _nothing  # called when an engine has ended, whether or not another one follows
    notifier: Notifier = field(default_factory=Notifier)
    renews: bool = False  # whether `run` gives way to a new program where it is replaced
    takes_over: bool = False  # whether another program gave way to us: clients have waited since
    limits: Limits = field(default_factory=Limits)
    bounds: Bounds = field(default_factory=Bounds)
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


class Supervisor:
    """Runs until it is told to stop."""

    def __init__(self, duty: Duty) -> None:
        self._duty = duty
        self._restarts = Restarts(duty.limits)
        self._tasks = TaskGroup("supervisor")
        self._stopping = asyncio.Event()
        self._retry = asyncio.Event()
        self._replacing = self._renewing = False
        self._patience = _PLANNED if duty.takes_over else _AWAY
        self._engine: Offspring | None = None
        self._announced = False
        self._led = False
        self._restoring: asyncio.Task[None] | None = None
        self._watchdog_said = 0.0
        self._looked = duty.clock()
        self._clocks = self._offset()
        self.starts = 0
        self._deaths: deque[float] = deque(maxlen=_MOST_DEATHS)

    # What it is told, on the loop.

    def stop(self) -> None:
        """End the engine in order, then leave."""
        self._stopping.set()
        self._retry.set()

    def reload(self) -> None:
        """Have the engine read its policy again; in a crash loop, try it again."""
        self._retry.set()
        if self._engine is not None:
            self._engine.tell("reload")

    def replace(self) -> None:
        """Have a new engine take over, with other settings for example: clients wait in the queue meanwhile."""
        self._replacing = True
        if self._engine is not None:
            self._engine.tell("stop")
        else:
            self._retry.set()  # the update may be what ends a crash loop

    def renew(self) -> None:
        """Have a new program take over, after an update: `run` gives way to it once the engine has ended."""
        self._renewing = self._duty.renews
        self.replace()

    def handle_signals(self) -> None:
        """TERM and INT stop, HUP reloads, USR2 replaces the program."""
        loop = asyncio.get_running_loop()
        told = {"SIGTERM": self.stop, "SIGINT": self.stop, "SIGHUP": self.reload, "SIGUSR2": self.renew}
        for name, act in told.items():
            with suppress(NotImplementedError, RuntimeError, AttributeError):  # not on Windows
                loop.add_signal_handler(getattr(signal, name), act)
        if sys.platform != "win32":  # whom we took over from has held them back until now
            signal.pthread_sigmask(signal.SIG_UNBLOCK, map(signal.Signals, REPLACEABLE))

    async def run(self) -> bool:
        """Keep an engine running until told to stop; whether a new program is to take over instead."""
        renewed = False
        try:
            while not self._stopping.is_set() and not renewed:
                await self._life()
                renewed = self._renewing and not self._stopping.is_set()
        finally:
            self._duty.standin.close()
            if not renewed:
                self._duty.notifier.say(stopping="1", status="stopping")
            if self._restoring is not None:
                await self._restoring
            elif not renewed:  # whoever takes over leads traffic to the same ports
                await self._duty.restore()
            await self._tasks.cancel()
        return renewed

    async def _life(self) -> None:
        """One engine, from its start to its end, and the pause after it."""
        duty = self._duty
        self._retry.clear()
        self._led = False
        self._clocks = self._offset()
        vitals = Vitals(duty.clock(), duty.bounds)
        try:
            engine = self._engine = await duty.start()
        except HostError as error:
            log.error("%s", error)  # noqa: TRY400  the cause is in the message
            code = None
        else:
            self.starts += 1
            code = await self._attend(engine, vitals)
            self._engine = None
            if not self._stopping.is_set():
                await duty.gone()
        if self._stopping.is_set():
            return
        if self._replacing:
            self._replacing, self._patience = False, _PLANNED
            log.info("the engine is replaced")
            return
        self._patience = _AWAY
        now = duty.clock()
        self._deaths.append(now)
        following = self._restarts.died(now, served=vitals.served(now))
        log.error("the engine ended (exit code %s): started again in %.0f s", code, following.pause)
        if following.looping:
            await self._in_a_loop()
        await self._pause(following.pause)

    async def _attend(self, engine: Offspring, vitals: Vitals) -> int:
        """Watch an engine until it has ended; its exit code."""
        clock = self._duty.clock
        begun = self._looked = clock()
        ended = self._tasks.spawn(engine.wait(), name="wait")
        self._tasks.spawn(self._listen(engine, vitals), name="listen")
        told = False
        while not ended.done():
            await asyncio.wait({ended}, timeout=_ROUND)
            now = clock()
            if now - self._looked > _SLEPT:
                vitals.slept(now)
            self._looked = now
            if self._stopping.is_set() and not told:
                told = True
                engine.tell("stop")
                self._tasks.spawn(self._insist(engine), name="insist")
                # while it still serves: nobody is to be led to ports that are about to close
                self._restoring = self._tasks.spawn(self._duty.restore(), name="restore")
            if vitals.ready_at is not None:
                self._serving()
            elif now - begun > self._patience:
                self._duty.standin.open()
            if fault := vitals.fault(now):
                log.error("the engine is ended: %s", fault)
                engine.kill()
            else:
                self._watchdog(now)
        return ended.result()

    async def _listen(self, engine: Offspring, vitals: Vitals) -> None:
        told = False
        while line := await engine.line():
            if line == REPLACE and vitals.ready_at is not None:
                log.info("the engine asks for another in its place: settings have changed")
                self.replace()
                continue
            if (beat := parse_beat(line)) is not None:
                vitals.beat(self._duty.clock(), beat)
                if beat.ready:
                    self._serving()
                if beat.ready and not told:
                    told = True
                    if deaths := sum(self._duty.clock() - at < _DEATHS_WITHIN for at in self._deaths):
                        engine.tell(f"deaths {deaths}")
                    engine.tell("guarding")  # from here on nobody but it takes clients

    async def _insist(self, engine: Offspring) -> None:
        await asyncio.sleep(_END)
        log.error("the engine did not end within %.0f s and is killed", _END)
        engine.kill()

    def _serving(self) -> None:
        if self._duty.standin.active:
            standin = self._duty.standin
            standin.close()
            passed, refused = standin.counted()
            log.info("the engine is back: %d connections passed unseen, %d were refused", passed, refused)
            if self._engine is not None and passed + refused:
                self._engine.tell(f"away {passed} {refused}")
        if not self._led and not self._stopping.is_set():
            self._led = True
            self._tasks.spawn(self._duty.serving(), name="serving")
        if not self._announced:
            self._announced = True
            self._duty.notifier.say(ready="1", status="guarding")

    async def _in_a_loop(self) -> None:
        log.error(
            "the engine cannot run: connections pass or are refused as policy says, settings are restored"
        )
        self._duty.notifier.say(status="the engine cannot run; standing in for it", ready="1")
        self._announced = False
        self._duty.standin.open()
        await self._duty.restore()

    async def _pause(self, seconds: float) -> None:
        deadline = self._duty.clock() + seconds
        begun = self._duty.clock()
        while not self._retry.is_set() and (left := deadline - self._duty.clock()) > 0:
            self._watchdog(self._duty.clock())
            if self._duty.clock() - begun > self._patience:
                self._duty.standin.open()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._retry.wait(), min(left, _ROUND))
            if abs(self._offset() - self._clocks) > _CLOCK_SET:
                log.info("the clock was set, which may have been the cause: the engine is tried again")
                self._retry.set()
        if self._retry.is_set():
            self._restarts.forgive()

    def _offset(self) -> float:
        """Between a clock that anybody may set and one that nobody can."""
        return self._duty.wall() - self._duty.clock()

    def _watchdog(self, now: float) -> None:
        limit = self._duty.notifier.watchdog
        if limit and now - self._watchdog_said >= limit / 3:
            self._watchdog_said = now
            self._duty.notifier.say(watchdog="1")

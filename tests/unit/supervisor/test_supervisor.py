"""The supervisor over engines that live, die and misbehave as they are told, by a clock of their own speed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import cast

from agent.host.beats import REPLACE, Beat
from agent.host.offspring import Offspring
from agent.supervisor.notify import Notifier
from agent.supervisor.restarts import Limits
from agent.supervisor.standin import StandIn
from agent.supervisor.supervisor import Duty, Supervisor
from agent.supervisor.vitals import Bounds
from tests.fakes.loopback import until

SPEED = 40.0  # so much faster than ours the supervisor's clock runs


class Engine:
    """A child that is told what to do."""

    def __init__(self, *, ready: bool = True, beating: bool = True) -> None:
        self.told: list[str] = []
        self.killed = False
        self.asks = False
        self._ready = ready
        self._beating = beating
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def tell(self, order: str) -> None:
        self.told.append(order)
        if order == "stop":
            self.die(0)

    def die(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)

    def kill(self) -> None:
        self.killed = True
        self.die(-9)

    async def line(self) -> bytes:
        await asyncio.sleep(0.01)
        if self._code.done():
            return b""
        if self.asks:
            self.asks = False
            return REPLACE
        if not self._beating:
            await asyncio.sleep(0.05)
            return b"nonsense\n"
        return Beat(ready=self._ready, memory=1, cpu=0.0, active=0).line()

    async def wait(self) -> int:
        return await asyncio.shield(self._code)


class Bystander:
    """A stand-in that only says whether it serves."""

    def __init__(self) -> None:
        self.active = False
        self.opened = 0

    def open(self) -> None:
        self.opened += not self.active
        self.active = True

    def close(self) -> None:
        self.active = False

    def counted(self) -> tuple[int, int]:
        return (3, 1)


class Watch:
    """What a service manager hears."""

    def __init__(self, watchdog: float = 0.0) -> None:
        self.watchdog = watchdog
        self.said: list[dict[str, str]] = []

    def say(self, **fields: str) -> None:
        self.said.append(fields)


class Post:
    """A supervisor with all that it works with."""

    def __init__(self, make: Callable[[int], Engine], *, watchdog: float = 0.0, renews: bool = False) -> None:
        self.engines: list[Engine] = []
        self.standin = Bystander()
        self.watch = Watch(watchdog)
        self.restored = 0
        self._make = make
        self.ahead = 0.0  # of the clock that anybody may set
        begun = time.monotonic()

        def clock() -> float:
            return (time.monotonic() - begun) * SPEED

        duty = Duty(
            start=self._start,
            standin=cast("StandIn", self.standin),
            restore=self._restore,
            renews=renews,
            notifier=cast("Notifier", self.watch),
            limits=Limits(steady=10.0, first_pause=1.0, longest_pause=4.0, crashes=4, within=1e6),
            bounds=Bounds(start=60.0, silence=15.0),
            clock=clock,
            wall=lambda: clock() + self.ahead,
        )
        self.supervisor = Supervisor(duty)

    async def _start(self) -> Offspring:
        self.engines.append(self._make(len(self.engines)))
        return cast("Offspring", self.engines[-1])

    async def _restore(self) -> None:
        self.restored += 1

    async def during(self, what: Callable[[], Awaitable[None]]) -> None:
        running = asyncio.ensure_future(self.supervisor.run())
        try:
            await what()
        finally:
            self.supervisor.stop()
            await asyncio.wait_for(running, 10)


async def test_an_engine_that_dies_is_followed_by_another_and_told_what_passed() -> None:
    post = Post(lambda _: Engine())

    async def story() -> None:
        await until(lambda: len(post.engines) == 1 and post.watch.said != [])
        assert post.watch.said[0]["ready"] == "1"
        post.standin.open()
        await until(lambda: "away 3 1" in post.engines[0].told)
        assert not post.standin.active
        post.engines[0].die(-9)
        await until(lambda: len(post.engines) == 2)
        await until(lambda: "deaths 1" in post.engines[1].told)
        assert not any(order.startswith("deaths") for order in post.engines[0].told)

    await post.during(story)
    assert post.engines[-1].told[-1] == "stop"
    assert post.restored == 1
    assert post.watch.said[-1]["stopping"] == "1"


async def test_engines_that_cannot_start_end_in_a_loop_that_somebody_can_break() -> None:
    broken = True

    def make(_number: int) -> Engine:
        engine = Engine(ready=not broken)
        if broken:
            engine.die(1)
        return engine

    post = Post(make)

    async def story() -> None:
        nonlocal broken
        await until(lambda: post.standin.active and len(post.engines) == 4)
        assert post.restored == 1
        assert "cannot run" in post.watch.said[-1]["status"]
        await asyncio.sleep(0.2)
        assert len(post.engines) == 4  # it waits
        broken = False
        post.supervisor.reload()
        await until(lambda: len(post.engines) == 5 and not post.standin.active)

    await post.during(story)


async def test_a_clock_that_is_set_ends_the_waiting_of_a_crash_loop() -> None:
    wrong = True

    def make(_number: int) -> Engine:
        engine = Engine(ready=not wrong)
        if wrong:
            engine.die(1)
        return engine

    post = Post(make)

    async def story() -> None:
        nonlocal wrong
        await until(lambda: post.standin.active and len(post.engines) == 4)
        post.ahead = 30.0  # as clocks drift
        await asyncio.sleep(0.2)
        assert len(post.engines) == 4
        wrong = False
        post.ahead = 86_400.0
        await until(lambda: len(post.engines) == 5 and not post.standin.active)

    await post.during(story)


async def test_one_that_falls_silent_is_ended() -> None:
    post = Post(lambda number: Engine(beating=number > 0))

    async def story() -> None:
        await until(lambda: len(post.engines) == 2)
        assert post.engines[0].killed
        assert post.standin.opened

    await post.during(story)


async def test_a_replacement_is_no_crash() -> None:
    post = Post(lambda _: Engine())

    async def story() -> None:
        for number in range(1, 8):
            await until(lambda number=number: len(post.engines) == number)  # type: ignore[misc]
            await until(lambda: post.watch.said != [])
            post.supervisor.replace()
        await until(lambda: len(post.engines) == 8)

    await post.during(story)
    assert not post.standin.opened


async def test_an_engine_may_ask_for_another_once_it_serves() -> None:
    post = Post(lambda _: Engine())

    async def story() -> None:
        await until(lambda: post.watch.said != [])
        post.engines[0].asks = True
        await until(lambda: len(post.engines) == 2)

    await post.during(story)
    assert post.engines[0].told == ["guarding", "stop"]
    assert not post.standin.opened


async def test_the_managers_watchdog_hears_of_a_sound_engine() -> None:
    post = Post(lambda _: Engine(), watchdog=10.0)

    async def story() -> None:
        await until(lambda: sum("watchdog" in each for each in post.watch.said) > 2)

    await post.during(story)


async def test_a_supervisor_that_is_replaced_gives_way_without_taking_anything_back() -> None:
    post = Post(lambda _: Engine(), renews=True)
    running = asyncio.create_task(post.supervisor.run())
    await until(lambda: post.watch.said != [])
    post.supervisor.renew()
    assert await asyncio.wait_for(running, 5)
    assert (len(post.engines), post.restored) == (1, 0)
    assert not any("stopping" in each for each in post.watch.said)


async def test_a_replacement_ends_the_waiting_of_a_crash_loop() -> None:
    def dying(_: int) -> Engine:
        engine = Engine(ready=False)
        engine.die(1)
        return engine

    post = Post(dying, renews=True)
    running = asyncio.create_task(post.supervisor.run())
    await until(lambda: post.restored == 1)
    post.supervisor.renew()
    assert await asyncio.wait_for(running, 5)

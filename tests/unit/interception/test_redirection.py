"""Single programs are led here once a canary has arrived, and let go once none does."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from agent.errors import ConfigError, HostError
from agent.host import canary
from agent.host.tasks import TaskGroup
from agent.interception.frontdoor import FrontDoor
from agent.interception.redirection import Patience, Redirection, specification
from tests.fakes.loopback import until
from tests.fakes.redirector import FakeRedirector, FakeStream

AT_ONCE = Patience(between=0.01, again=0, losses=2, first=3, aiming=0)
OURSELVES = f"!{os.getpid()},!{os.getppid()}"


class Canaries:
    """Each is answered as the test says; then all as the last."""

    def __init__(self, *answers: bool | HostError) -> None:
        self.answers, self.sent = list(answers), 0

    async def send(self, aim: Callable[[int], Awaitable[None]]) -> bool:
        await aim(4711)
        self.sent += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, HostError):
            raise answer
        return answer


@pytest.fixture
async def tasks() -> AsyncIterator[TaskGroup]:
    tasks = TaskGroup("test")
    yield tasks
    await tasks.cancel()


def redirection(
    redirector: FakeRedirector, canaries: Canaries, tasks: TaskGroup, *, programs: Sequence[str] = ("Cursor",)
) -> Redirection:
    keeper: Any = None  # nobody is judged

    async def never(*_: object) -> object:
        raise AssertionError("nobody is to be dialled")

    front = FrontDoor(keeper, never, tasks)
    return Redirection(
        programs, front, tasks, open_redirector=redirector.open, send=canaries.send, patience=AT_ONCE
    )


async def test_programs_are_led_here_only_once_a_canary_has_arrived(tasks: TaskGroup) -> None:
    redirector = FakeRedirector()
    tried = redirection(redirector, Canaries(False, False, True), tasks)
    task = tasks.spawn(tried.run(), name="run")
    await until(lambda: tried.proven)
    await until(lambda: f"Cursor,{OURSELVES},4711" in redirector.specs)  # the second round
    assert redirector.specs[:4] == ["4711", "4711", "4711", f"Cursor,{OURSELVES}"]
    assert not tried.trouble
    task.cancel()
    await until(lambda: redirector.closed)
    assert redirector.specs[-1] == ""


async def test_lost_canaries_switch_it_off(tasks: TaskGroup) -> None:
    redirector, canaries = FakeRedirector(), Canaries(True, False, True, False)
    tried = redirection(redirector, canaries, tasks)
    await tried.run()
    assert "2 connections that had to be captured did not arrive" in tried.trouble
    assert (redirector.specs[-1], redirector.closed, tried.proven) == ("", True, False)
    assert canaries.sent == 5  # one that was lost alone did no harm


async def test_what_never_worked_captures_nobody(tasks: TaskGroup) -> None:
    redirector = FakeRedirector()
    tried = redirection(redirector, Canaries(False), tasks)
    await tried.run()
    assert tried.trouble
    assert set(redirector.specs) == {"4711", ""}


async def test_a_canary_that_cannot_be_sent_is_no_capture(tasks: TaskGroup) -> None:
    redirector = FakeRedirector()
    tried = redirection(redirector, Canaries(HostError("no processes are left")), tasks)
    await tried.run()
    assert "no processes are left" in tried.trouble
    assert redirector.closed


async def test_a_redirector_that_cannot_start_is_told_in_a_line(tasks: TaskGroup) -> None:
    class Refused(FakeRedirector):
        async def open(self, connected: object, datagrams: object) -> FakeRedirector:
            raise RuntimeError("Failed to run sudo.\n\nStack backtrace:\n 0: <unknown>")

    tried = redirection(Refused(), Canaries(True), tasks)
    await tried.run()
    assert tried.trouble.endswith("cannot be started: Failed to run sudo.")


async def test_the_canary_itself_is_answered(tasks: TaskGroup) -> None:
    redirector = FakeRedirector()
    tried = redirection(redirector, Canaries(True), tasks)
    tasks.spawn(tried.run(), name="run")
    await until(lambda: redirector.connected is not None)
    assert redirector.connected is not None
    stream = FakeStream((canary.CANARY_ADDRESS, 443))
    await redirector.connected(stream)
    stream.arrive(canary._hello())
    await until(lambda: stream.closed)
    assert stream.written == canary.ANSWER


def test_we_ourselves_are_never_led_here() -> None:
    assert specification(("Cursor", " claude ")) == f"Cursor,claude,{OURSELVES}"


@pytest.mark.parametrize("programs", [(), ("4711",), ("!curl",), (" ",)])
def test_what_means_something_else_there_is_no_program(programs: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"no program is named|no name of a program"):
        specification(programs)


async def test_without_a_name_nothing_is_tried(tasks: TaskGroup) -> None:
    redirector = FakeRedirector()
    tried = redirection(redirector, Canaries(True), tasks, programs=())
    await asyncio.wait_for(tried.run(), 5)
    assert "capture_programs" in tried.trouble
    assert redirector.connected is None

"""Workers that die are started again, ever more slowly; signals reach those that can bear them."""

from __future__ import annotations

import signal

import pytest

from agent.central.crew import Crew
from agent.errors import HostError


class Process:
    """A worker's process that is none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.code: int | None = None
        self.signals: list[int] = []

    def signal(self, number: int) -> None:
        self.signals.append(number)


class Yard:
    """Starts processes, and says which are ready."""

    def __init__(self, count: int = 2) -> None:
        self.started: list[tuple[int, Process]] = []
        self.ready = True
        self.crew = Crew(self._start, count, is_ready=lambda number, pid: self.ready)

    def _start(self, number: int) -> Process:
        process = Process(100 + len(self.started))
        self.started.append((number, process))
        return process


@pytest.fixture
def yard() -> Yard:
    """A complete crew of two."""
    made = Yard()
    made.crew.tend(0)
    made.crew.tend(0.1)
    assert made.crew.complete
    return made


def test_all_are_started_and_complete_when_ready() -> None:
    yard = Yard(3)
    yard.ready = False
    yard.crew.tend(0)
    yard.crew.tend(1)
    assert [number for number, _ in yard.started] == [0, 1, 2]
    assert not yard.crew.complete
    yard.ready = True
    yard.crew.tend(2)
    assert yard.crew.complete


def test_one_that_cannot_start_keeps_all_from_starting() -> None:
    yard = Yard()
    yard.ready = False
    yard.crew.tend(0)
    yard.started[1][1].code = 1
    with pytest.raises(HostError, match=r"worker 1 did not start \(exit code 1\)"):
        yard.crew.tend(1)


def test_a_dead_worker_is_started_again_in_its_place_after_a_pause(yard: Yard) -> None:
    yard.started[0][1].code = -9
    yard.crew.tend(1.0)
    assert (len(yard.started), yard.crew.alive) == (2, 1)
    yard.crew.tend(1.6)
    assert [number for number, _ in yard.started] == [0, 1, 0]
    assert yard.crew.alive == 2


def test_pauses_grow_and_a_steady_worker_begins_anew(yard: Yard) -> None:
    now, pauses = 1.0, []
    for _ in range(8):
        yard.started[-1][1].code = 1
        count, died = len(yard.started), now
        while len(yard.started) == count:
            yard.crew.tend(now)
            now += 0.25
        pauses.append(now - 0.25 - died)
        now += 1
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]
    now += 100
    yard.started[-1][1].code = 1
    yard.crew.tend(now)
    count = len(yard.started)
    yard.crew.tend(now + 0.5)
    assert len(yard.started) == count + 1


def test_a_reload_waits_for_who_is_not_ready(yard: Yard) -> None:
    yard.started[0][1].code = 1
    yard.crew.tend(1)
    yard.ready = False
    yard.crew.tend(2)
    yard.crew.reload()
    yard.crew.tend(3)
    (_, second), (_, third) = yard.started[1:]
    assert (second.signals, third.signals) == ([signal.SIGHUP], [])
    yard.ready = True
    yard.crew.tend(4)
    yard.crew.tend(5)
    assert (second.signals, third.signals) == ([signal.SIGHUP], [signal.SIGHUP])


def test_all_that_live_are_told_and_reaped(yard: Yard) -> None:
    yard.started[0][1].code = 0
    yard.crew.reap()
    yard.crew.tell(signal.SIGTERM)
    assert [process.signals for _, process in yard.started] == [[], [signal.SIGTERM]]
    assert yard.crew.alive == 1

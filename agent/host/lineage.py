"""A process and those that started it, up to a few steps, as programs. Protocol and cache.

The line is what a process shows when it is first met: its parents may end before it does. A number is given to another
process once the first has ended, so a process is known by its number, the moment it began and what it was then; a
parent that began after its child is none.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from agent.model.traffic import Process, Program

MAX_STEPS = 12
_MAX_LINES = 512
_CLOCK_GRAIN = 0.02  # seconds: what two systems' clocks of processes differ in


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """Who started a process, and when, in seconds of the system's own clock. `image` changes when the process becomes
    another program (execve(2)), and says nothing else."""

    parent: int
    started: float
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One process of a line. `genuine` where its executable's path leads to the very file that it runs: in a container,
    or after an update, it may lead elsewhere."""

    pid: int
    birth: Birth
    program: Program
    sandbox: str = ""
    genuine: bool = True
    started_at: float = 0.0  # Unix seconds


class ProcessReader(Protocol):
    """Reads facts about one process. Blocks; never raises."""

    def birth(self, pid: int) -> Birth | None:
        """Cheap. None where there is no such process."""
        ...

    def member(self, pid: int) -> Member | None:
        """Everything. None where there is no such process."""
        ...


class Lineage:
    """The lines of the processes that were met lately. May be used from several threads."""

    def __init__(self, reader: ProcessReader) -> None:
        self._reader = reader
        self._lines: OrderedDict[tuple[int, float, str], tuple[Member, ...]] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, pid: int) -> tuple[Member, ...]:
        """The process, then those that started it, the nearest first. Empty where it is gone."""
        birth = self._reader.birth(pid)
        if birth is None:
            return ()
        key = (pid, birth.started, birth.image)
        with self._guard:
            if (known := self._lines.get(key)) is not None:
                self._lines.move_to_end(key)
                return known
        line = self._walk(pid)
        if not line or (line[0].birth.started, line[0].birth.image) != key[1:]:
            return line  # it ended meanwhile, or became another
        with self._guard:
            self._lines[key] = line
            while len(self._lines) > _MAX_LINES:
                self._lines.popitem(last=False)
        return line

    def process(self, pid: int, *, user: str) -> Process | None:
        """What is known of a process; None where it is gone."""
        line = self.of(pid)
        return described(line, user=user) if line else None

    def _walk(self, pid: int) -> tuple[Member, ...]:
        line: list[Member] = []
        met: set[int] = set()
        while pid > 0 and pid not in met and len(line) <= MAX_STEPS:
            met.add(pid)
            member = self._reader.member(pid)
            if member is None:
                break
            if line and member.birth.started > line[-1].birth.started + _CLOCK_GRAIN:
                break  # the parent has ended, and its number is another's
            line.append(member)
            pid = member.birth.parent
        return tuple(line)


def described(line: tuple[Member, ...], *, user: str) -> Process:
    """The process that a line is about."""
    first = line[0]
    return Process(
        pid=first.pid,
        name=first.program.name,
        executable=first.program.executable,
        user=user,
        parents=tuple(member.program.name for member in line[1:]),
        started=first.started_at,
        sandbox=first.sandbox,
        genuine=first.genuine,
        line=tuple(member.program for member in line),
    )

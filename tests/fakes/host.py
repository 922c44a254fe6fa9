"""In-memory implementations of the Protocols of agent.host."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agent.errors import HostError
from agent.host.lineage import Birth, Member
from agent.host.process_table import OwnedConnection
from agent.host.processes import Endpoint
from agent.host.run import Completed
from agent.model.traffic import UNSIGNED, Process, Program, Signature


@dataclass
class FakeManaged:
    """A `ManagedSource` with the given settings."""

    settings: Mapping[str, object] = field(default_factory=dict)
    place: str = "/managed.json"

    def read(self) -> Mapping[str, object]:
        return self.settings


@dataclass
class FakeKeyring:
    """A `Keyring`; without entries given it is one that no session has opened."""

    entries: Mapping[tuple[str, str], str] | None = None

    def get_password(self, service: str, name: str) -> str | None:
        if self.entries is None:
            raise HostError("this machine has no usable keyring")
        return self.entries.get((service, name))


@dataclass
class FakeProcessTable:
    """A `ProcessTable` of given rows; `asked` notes which processes were asked for their connections, `read` which
    ones everything was read of."""

    rows: Sequence[OwnedConnection] = ()
    members: Mapping[int, Member] = field(default_factory=dict)
    users: Mapping[int, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    read: list[int] = field(default_factory=list)

    def pids(self) -> Iterable[int]:
        return sorted(self.members, reverse=True)

    def connections_of(self, pid: int) -> Iterable[OwnedConnection]:
        self.asked.append(pid)
        return [row for row in self.rows if row.pid == pid]

    def connections(self) -> Iterable[OwnedConnection]:
        return self.rows

    def birth(self, pid: int) -> Birth | None:
        return self.members[pid].birth if pid in self.members else None

    def member(self, pid: int) -> Member | None:
        self.read.append(pid)
        return self.members.get(pid)

    def user(self, pid: int) -> str:
        return self.users.get(pid, "")


def member(pid: int, name: str, *, parent: int = 0, started: float = 1.0, executable: str = "") -> Member:
    """A process with what matters in a test."""
    return Member(
        pid=pid,
        birth=Birth(parent=parent, started=started),
        program=Program(name=name, executable=executable),
        started_at=started,
    )


@dataclass
class FakeFinder:
    """A `ProcessFinder` with one answer, that takes `seconds`."""

    process: Process | None = None
    seconds: float = 0.0
    asked: list[tuple[Endpoint, Endpoint]] = field(default_factory=list)

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        self.asked.append((client, server))
        time.sleep(self.seconds)
        return self.process


@dataclass
class FakeVerifier:
    """A `Verifier` that knows the given files, and notes what it was asked; an error is raised."""

    signatures: Mapping[str, Signature | Exception] = field(default_factory=dict)
    protects: bool = True
    asked: list[str] = field(default_factory=list)

    def verify(self, executable: str) -> Signature:
        self.asked.append(executable)
        found = self.signatures.get(executable, UNSIGNED)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class FakeRunner:
    """A `Runner` that answers by the program's arguments and notes what it was asked."""

    answers: Mapping[str, Completed]
    """By an argument that must occur in the command; the first that does answers."""
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.asked.append(tuple(argv))
        for argument, answer in self.answers.items():
            if argument in argv:
                return answer
        return Completed(code=1, stdout=b"", stderr=b"")


@dataclass
class FakeRootStore:
    """A `RootStore` of given certificates (DER); None stands for a store that cannot be read."""

    roots: Sequence[bytes] | None
    mark: str = "1"

    def stamp(self) -> str:
        return self.mark

    def certificates(self) -> tuple[bytes, ...]:
        if self.roots is None:
            raise HostError("no store")
        return tuple(self.roots)


@dataclass
class FakeClock:
    """A clock that stands still until it is moved."""

    moment: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **delta: float) -> None:
        self.moment += timedelta(**delta)

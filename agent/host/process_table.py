"""The system's table of processes and their TCP connections, as psutil reads it. Blocks; never raises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import psutil

from agent.host.process_names import display_name
from agent.host.processes import Endpoint, plain_endpoint
from agent.model.traffic import Process


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedConnection:
    """A TCP connection and the process that holds its local end."""

    pid: int
    local: Endpoint
    remote: Endpoint


class ProcessTable(Protocol):
    """What a finder needs to know of the running system."""

    def pids(self) -> Iterable[int]:
        """Every process, newest first."""
        ...

    def connections_of(self, pid: int) -> Iterable[OwnedConnection]:
        """The connections of one process; nothing where it is gone or another user's."""
        ...

    def connections(self) -> Iterable[OwnedConnection]:
        """The connections of all processes; nothing where the system keeps that from this user."""
        ...

    def process(self, pid: int) -> Process | None:
        """What is known of a process, None where it is gone."""
        ...


class PsutilTable:
    """The `ProcessTable` of the running system."""

    def pids(self) -> Iterable[int]:
        """See `ProcessTable`."""
        return sorted(psutil.pids(), reverse=True)

    def connections_of(self, pid: int) -> Iterator[OwnedConnection]:
        """See `ProcessTable`."""
        with suppress(psutil.Error, OSError):
            for row in psutil.Process(pid).net_connections(kind="tcp"):
                yield from _owned(pid, row.laddr, row.raddr)

    def connections(self) -> Iterator[OwnedConnection]:
        """See `ProcessTable`."""
        with suppress(psutil.Error, OSError):
            for row in psutil.net_connections(kind="tcp"):
                if row.pid:
                    yield from _owned(row.pid, row.laddr, row.raddr)

    def process(self, pid: int) -> Process | None:
        """See `ProcessTable`."""
        try:
            found = psutil.Process(pid)
            with found.oneshot():
                name = found.name()
                executable, arguments, user = "", list[str](), ""
                with suppress(psutil.AccessDenied, OSError):
                    executable = found.exe()
                with suppress(psutil.AccessDenied, OSError):
                    arguments = found.cmdline()
                with suppress(psutil.AccessDenied, OSError, KeyError):
                    user = found.username()
        except (psutil.Error, OSError):
            return None
        return Process(
            pid=pid, name=display_name(executable, arguments, name), executable=executable, user=user
        )


def _owned(
    pid: int, local: tuple[str, int] | tuple[()], remote: tuple[str, int] | tuple[()]
) -> Iterator[OwnedConnection]:
    """At most one connection: a listening socket has no remote end."""
    with suppress(ValueError):
        if not local or not remote:
            return
        yield OwnedConnection(
            pid=pid,
            local=plain_endpoint((local[0], local[1])),
            remote=plain_endpoint((remote[0], remote[1])),
        )

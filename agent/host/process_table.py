"""The system's table of processes and their TCP connections, as psutil reads it. Blocks; never raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from agent.host.lineage import Birth, Member, ProcessReader
from agent.host.process_names import display_name, hosted
from agent.host.processes import Endpoint, plain_endpoint
from agent.model.traffic import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedConnection:
    """A TCP connection and the process that holds its local end."""

    pid: int
    local: Endpoint
    remote: Endpoint


class ProcessTable(ProcessReader, Protocol):
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

    def user(self, pid: int) -> str:
        """Whose process it is; empty where the system does not say."""
        ...


class PsutilTable:
    """The `ProcessTable` of the running system."""

    def __init__(self, bundle: Callable[[str], str] = lambda _: "") -> None:
        """`bundle` gives the identifier of the macOS application that an executable belongs to."""
        self._bundle = bundle

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

    def user(self, pid: int) -> str:
        """See `ProcessTable`."""
        with suppress(psutil.Error, OSError, KeyError):
            return psutil.Process(pid).username()
        return ""

    def birth(self, pid: int) -> Birth | None:
        """See `ProcessReader`."""
        try:
            found = psutil.Process(pid)
            # its parent is asked for by `member` only: on Windows that looks through all processes
            return Birth(parent=0, started=found.create_time(), image=_image(found))
        except (psutil.Error, OSError):
            return None

    def member(self, pid: int) -> Member | None:
        """See `ProcessReader`."""
        try:
            found = psutil.Process(pid)
            with found.oneshot():
                name, started, parent = found.name(), found.create_time(), found.ppid()
                executable, arguments = "", list[str]()
                with suppress(psutil.AccessDenied, OSError):
                    executable = found.exe()
                with suppress(psutil.AccessDenied, OSError):
                    arguments = found.cmdline()
                script, is_module = hosted(executable, arguments)
                if script and not is_module:
                    with suppress(psutil.AccessDenied, OSError, ValueError):
                        script = str(Path(found.cwd(), script).resolve())
        except (psutil.Error, OSError):
            return None
        return Member(
            pid=pid,
            birth=Birth(parent=parent, started=started, image=_image(found)),
            program=Program(
                name=display_name(executable, arguments, name),
                executable=executable,
                script=script.replace("\\", "/"),
                is_module=is_module,
                bundle=self._bundle(executable) if executable else "",
            ),
            started_at=started,
        )


def _image(found: psutil.Process) -> str:
    with suppress(psutil.Error, OSError):
        return found.exe()
    return ""


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

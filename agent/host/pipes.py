"""Where the agent answers commands on Windows: a named pipe, whose clients Windows names.

Owns the pipe's name, who may open it, and which pipe a command may trust: any program may take a name first, so the
owner of a pipe is looked at before anything is said to it. The system's calls: `pipes_windows`.
"""

from __future__ import annotations

import hashlib
import io
import sys
from collections.abc import Callable
from typing import Any, Protocol

from agent.errors import HostError
from agent.host.paths import StatePaths, state_directory
from agent.host.peers import WINDOWS_ADMINISTRATORS, Peer

MACHINE_PIPE = r"\\.\pipe\drawbridge-control"
CLIENT_ACCESS = 0x0012019B
"""Reading and writing, but not FILE_CREATE_PIPE_INSTANCE, which GENERIC_WRITE has in it: who holds that can put up
another end of the pipe, and be taken for the agent."""

type Pipe = Any
"""One end of a pipe, as `Pipes` gives it."""


class Pipes(Protocol):
    """The system's calls. All of them raise OSError; those with `seconds` a TimeoutError after so many."""

    def own(self) -> str:
        """The security identifier of the account that we run as."""
        ...

    def create(self, name: str, descriptor: str, *, first: bool) -> Pipe:
        """An end that a client may connect to; `first` fails where the name is taken."""
        ...

    def accept(self, pipe: Pipe) -> bool:
        """Wait for a client; False after `stop`."""
        ...

    def stop(self) -> None:
        """Have `accept` return. From any thread."""
        ...

    def peer(self, pipe: Pipe) -> Peer:
        """Who is at the other end, with the account. Only after something was read from it."""
        ...

    def connect(self, name: str, seconds: float) -> Pipe:
        """A client's end, whose other end learns who we are and cannot act as us. Raises FileNotFoundError where nobody
        has the name."""
        ...

    def owner(self, pipe: Pipe) -> str:
        """The security identifier of the pipe's owner."""
        ...

    def read(self, pipe: Pipe, size: int, seconds: float) -> bytes:
        """Some bytes; none at the end."""
        ...

    def write(self, pipe: Pipe, data: bytes, seconds: float) -> None:
        """All of them."""
        ...

    def close(self, pipe: Pipe) -> None:
        """Let go of this end."""
        ...


def system_pipes(*, platform: str = sys.platform) -> Pipes | None:
    """Those of this system; None where there are none."""
    if platform != "win32":
        return None
    from agent.host.pipes_windows import WindowsPipes

    return WindowsPipes()


def control_pipe(paths: StatePaths, *, machine: bool | None = None) -> str:
    """The name for the agent of that state directory."""
    if is_machine(paths) if machine is None else machine:
        return MACHINE_PIPE
    place = hashlib.sha256(str(paths.root).lower().encode()).hexdigest()[:24]
    return rf"\\.\pipe\drawbridge-{place}"


def is_machine(paths: StatePaths) -> bool:
    """Whether that is the directory of the machine's agent."""
    return paths.root == state_directory(platform="win32", privileged=True)


def descriptor(own: str, *, everybody: bool) -> str:
    """Who may open the pipe, in the words of SDDL: SYSTEM, administrators and we, with `everybody` each account that is
    signed in at this machine; nobody over the network."""
    rules = ["(D;;GA;;;NU)", "(A;;GA;;;SY)", "(A;;GA;;;BA)", f"(A;;GA;;;{own})"]
    if everybody:
        rules.append(f"(A;;{CLIENT_ACCESS:#x};;;AU)")
    return f"D:P{''.join(rules)}"


class PipeSocket:
    """A client's end as `http.client` takes a socket."""

    def __init__(self, pipes: Pipes, name: str, seconds: float) -> None:
        """Raises FileNotFoundError, OSError; HostError for a pipe that is not the agent's."""
        self._pipes = pipes
        self._seconds = seconds
        self._closed = False
        self._readers = 0
        self._pipe = pipes.connect(name, seconds)
        try:
            owner = pipes.owner(self._pipe)
            if owner not in {*WINDOWS_ADMINISTRATORS, pipes.own()}:
                raise HostError(
                    f"the pipe {name} is not the agent's: {owner} has made it",
                    hint="Find out which program of that account has it.",
                )
        except BaseException:
            pipes.close(self._pipe)
            raise

    def sendall(self, data: bytes) -> None:
        """Raises OSError."""
        self._pipes.write(self._pipe, data, self._seconds)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes. As with sockets, it can be read on after `close`."""
        del mode
        self._readers += 1
        return io.BufferedReader(_Reader(self._read, self._ended))

    def close(self) -> None:
        """For good, once nobody reads."""
        if not self._closed:
            self._closed = True
            if not self._readers:
                self._pipes.close(self._pipe)

    def _read(self, size: int) -> bytes:
        return self._pipes.read(self._pipe, size, self._seconds)

    def _ended(self) -> None:
        self._readers -= 1
        if self._closed and not self._readers:
            self._pipes.close(self._pipe)


class _Reader(io.RawIOBase):
    def __init__(self, read: Callable[[int], bytes], ended: Callable[[], None]) -> None:
        self._read = read
        self._ended = ended

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._ended()
        super().close()

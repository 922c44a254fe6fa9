"""A process of this very program that hears orders on its standard input and tells of itself on its standard output.

Both ends of the conversation: `Offspring` for the parent, `Parent` for the child. The end of its input tells the child
that its parent is gone, on every platform. Lent sockets keep their numbers on POSIX; on Windows they travel as bytes
over the same input (socket.share).
"""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import sys
import threading
from asyncio import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress

from agent.errors import HostError
from agent.host.run import ourselves, own_environment

_LINE = 64 * 1024  # bytes


class Offspring:
    """The child, as its parent sees it."""

    def __init__(self, process: subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, arguments: Sequence[str], lent: Sequence[socket.socket], *, program: Sequence[str] = ()
    ) -> Offspring:
        """Start it with `arguments`, as commands of ours have them, and `lent` sockets. `program` is ourselves unless
        given. Raises HostError."""
        windows = sys.platform == "win32"
        numbers = () if windows else tuple(each.fileno() for each in lent)
        named = [f"--lent={','.join(map(str, numbers))}"] if numbers else ["--lent=stdin"]
        try:
            process = await asyncio.create_subprocess_exec(
                *(program or ourselves()),
                *arguments,
                *named,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                limit=_LINE,
                pass_fds=numbers,
                env=own_environment(os.environ),
                start_new_session=not windows,  # a terminal's Ctrl-C is for the parent, who tells the child
            )
        except OSError as error:
            raise HostError(f"cannot start a process: {error.strerror or error}") from error
        child = cls(process)
        if sys.platform == "win32":
            for each in lent:
                child.tell(base64.b64encode(each.share(process.pid)).decode())
        return child

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def tell(self, order: str) -> None:
        """Send a line; none where it is gone."""
        if self._process.stdin is not None:
            with suppress(OSError, RuntimeError):
                self._process.stdin.write(order.encode() + b"\n")

    async def line(self) -> bytes:
        """The next line that it says; empty once it says no more."""
        assert self._process.stdout is not None
        while True:
            try:
                return await self._process.stdout.readline()
            except ValueError:  # a line over the limit is none of ours
                continue

    def kill(self) -> None:
        """End it now."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> int:
        """Its exit code; a negative one is the signal that ended it."""
        return await self._process.wait()


class Parent:
    """The parent, as its child sees it. `sockets` are those that it lent."""

    def __init__(self, lent: str) -> None:
        """`lent` are their numbers, or `stdin` for two that come there. Raises HostError."""
        self._rest = b""
        self.sockets = self._borrowed(lent)

    def say(self, line: bytes) -> None:
        """Tell the parent. What it does not read is lost: a child never waits for it."""
        with suppress(OSError, ValueError):
            os.write(1, line)

    def listen(self, hear: Callable[[str], None], orphaned: Callable[[], None]) -> None:
        """From now on `hear` gets each order, and `orphaned` is called at the end of all; both on the running loop."""
        loop = asyncio.get_running_loop()

        def call(function: Callable[..., None], *arguments: str) -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(function, *arguments)

        def read() -> None:
            while line := self._line():
                call(hear, line.decode("utf-8", "replace").strip())
            call(orphaned)

        # a thread: asyncio reads no plain pipes on Windows
        threading.Thread(target=read, name="orders", daemon=True).start()

    def _line(self) -> bytes:
        """The next line; empty at the end. Reads the descriptor itself: the lock of `sys.stdin`, held by a thread that
        waits, would stop the interpreter from ending."""
        while b"\n" not in self._rest and len(self._rest) < _LINE:
            try:
                data = os.read(0, _LINE)
            except OSError:
                data = b""
            if not data:
                self._rest = b""
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line + b"\n"

    def _borrowed(self, lent: str) -> tuple[socket.socket, ...]:
        try:
            if lent != "stdin":
                return tuple(socket.socket(fileno=int(number)) for number in lent.split(","))
            if sys.platform == "win32":
                return tuple(socket.fromshare(base64.b64decode(self._line())) for _ in range(2))
        except (OSError, ValueError) as error:
            raise HostError("the sockets that the supervisor lends cannot be used") from error
        raise HostError("the supervisor lends no sockets")

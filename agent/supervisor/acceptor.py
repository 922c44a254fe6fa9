"""Takes clients from a listening socket that is lent to others too, from one moment to another, and loses none.

asyncio's own servers are not made for that: one that closes in the turn in which it has accepted drops that client,
and its `Server` then fails in `_wakeup` (CPython 3.12 and 3.13). Here a client that was accepted is served.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from agent.host.tasks import TaskGroup

log = logging.getLogger(__name__)

_AT_ONCE = 64  # clients of one turn of the loop
_PAUSE = 1.0  # seconds after which it is tried again where the process has no descriptors left


class Acceptor:
    """Serves `sock` by protocols of `factory` between `open` and `close`. The socket stays its owner's."""

    def __init__(
        self, sock: socket.socket, factory: Callable[[], asyncio.Protocol], tasks: TaskGroup
    ) -> None:
        self._sock = sock
        self._factory = factory
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._open = False

    def open(self) -> None:
        """Begin to take clients."""
        self._open = True
        if sys.platform == "win32":  # its loop watches no readiness
            self._waiting = self._tasks.spawn(self._accept_in_turn(), name="accept")
        else:
            self._loop.add_reader(self._sock, self._accept)

    def close(self) -> None:
        """Take no more. Whoever waits in the queue waits for the next who accepts."""
        self._open = False
        if self._again is not None:
            self._again.cancel()
        if self._waiting is not None:
            self._waiting.cancel()
        if sys.platform != "win32":
            self._loop.remove_reader(self._sock)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no descriptors, no memory: the clients wait in the queue meanwhile
                log.warning("no client can be taken for now: %s", error.strerror or error)
                self._loop.remove_reader(self._sock)
                self._again = self._loop.call_later(_PAUSE, self._resume)
                return
            self._serve(client)

    def _resume(self) -> None:
        if self._open:
            self._loop.add_reader(self._sock, self._accept)

    async def _accept_in_turn(self) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(self._sock)
            except OSError as error:
                log.warning("no client can be taken for now: %s", error.strerror or error)
                await asyncio.sleep(_PAUSE)
            else:
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        client.setblocking(False)  # noqa: FBT003  the socket module's own signature
        self._tasks.spawn(self._connect(client), name="client")

    async def _connect(self, client: socket.socket) -> None:
        with suppress(OSError):  # it has left already
            await self._loop.connect_accepted_socket(self._factory, client)

"""Connections kept and counted per origin: the one used last is used next, none in doubt is kept."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from contextlib import suppress

from agent.gateway.transport.base import FailureKind, TransportConfig, TransportError
from agent.gateway.transport.connection import Connection
from agent.gateway.transport.dial import Dialer, Origin, peer_name
from agent.host.tasks import TaskGroup

_CLOSING_TIMEOUT = 2.0


class _Lane:
    """One origin's connections."""

    __slots__ = ("busy", "idle", "waiting")

    def __init__(self) -> None:
        self.idle: list[Connection] = []
        self.busy = 0
        self.waiting: deque[asyncio.Future[None]] = deque()


class Pool:
    """Hands out connections, and takes back those that are clean."""

    def __init__(self, config: TransportConfig, context: ssl.SSLContext, tasks: TaskGroup) -> None:
        """`tasks` owns the connections' uploads."""
        self._config = config
        self._dialer = Dialer(config, context)
        self._tasks = tasks
        self._lanes: dict[Origin, _Lane] = {}
        self._busy: dict[Connection, Origin] = {}
        self._closed = False
        self._empty = asyncio.Event()
        self._connections: dict[Connection, Origin] = {}  # every connection not yet lost
        self._sweeper: asyncio.TimerHandle | None = None

    async def take(self, origin: Origin, *, fresh: bool = False) -> Connection:
        """A connection for one exchange: a kept one, or with `fresh`, or where there is none, a new one.

        Raises TransportError. The connection comes back by itself when its exchange ends.
        """
        if self._closed:
            raise TransportError(FailureKind.CLOSED, "the gateway is shutting down", sent=False)
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = _Lane()
        await self._admit(lane, origin)
        if lane.idle and not fresh:
            now, wall = asyncio.get_running_loop().time(), time.time()
            while lane.idle:
                connection = lane.idle.pop()
                if connection.is_fresh(now, wall):
                    self._busy[connection] = origin
                    return connection
                connection.close()
        return await self._open(lane, origin)

    def released(self, connection: Connection) -> None:
        """Take a connection back after a clean exchange."""
        origin = self._busy.pop(connection)
        lane = self._lanes[origin]
        if self._closed or len(lane.idle) >= self._config.max_idle:
            connection.close()
        else:
            lane.idle.append(connection)
            if self._sweeper is None:
                self._sweep_later()
        self._leave(lane, origin)

    def lost(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        origin = self._connections.pop(connection, None)
        if origin is None:  # lost while it was being opened: `_open` sees to it
            return
        lane = self._lanes.get(origin)
        if lane is not None:
            if self._busy.pop(connection, None) is not None:
                self._leave(lane, origin)
            else:
                with suppress(ValueError):
                    lane.idle.remove(connection)
                self._forget(lane, origin)
        if not self._connections:
            self._empty.set()

    def drop_idle(self) -> None:
        """Close every connection that is not in use."""
        for lane in self._lanes.values():
            while lane.idle:
                lane.idle.pop().close()

    async def aclose(self) -> None:
        """Close every connection and wait until they are gone."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        self._empty.clear()
        for connection in tuple(self._connections):
            connection.abort()
        if self._connections:
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING_TIMEOUT):
                    await self._empty.wait()

    async def _open(self, lane: _Lane, origin: Origin) -> Connection:
        def factory() -> Connection:
            return Connection(
                peer=peer_name(origin[0], origin[1]), config=self._config, keeper=self, tasks=self._tasks
            )

        try:
            _, connection = await self._dialer.open(origin, factory)
            if connection.lost or self._closed:
                connection.abort()
                raise TransportError(
                    FailureKind.CLOSED, f"{connection.peer} closed the connection at once", sent=False
                )
        except BaseException:
            self._leave(lane, origin)
            raise
        self._connections[connection] = self._busy[connection] = origin
        return connection

    async def _admit(self, lane: _Lane, origin: Origin) -> None:
        """Count one more in use, once the limit allows it."""
        limit = self._config.max_connections
        if limit is None or lane.busy < limit:
            lane.busy += 1
            return
        place = asyncio.get_running_loop().create_future()
        lane.waiting.append(place)
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():  # granted, but nobody is left to use it
                self._leave(lane, origin)
            else:
                with suppress(ValueError):
                    lane.waiting.remove(place)
            if isinstance(error, TimeoutError):
                raise TransportError(
                    FailureKind.TIMEOUT,
                    f"all {limit} connections to {peer_name(origin[0], origin[1])} stayed in use",
                    sent=False,
                ) from error
            raise

    def _leave(self, lane: _Lane, origin: Origin) -> None:
        """Give a place up: to the longest waiting, or for good."""
        while lane.waiting:
            place = lane.waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        lane.busy -= 1
        self._forget(lane, origin)

    def _forget(self, lane: _Lane, origin: Origin) -> None:
        if not (lane.busy or lane.idle or lane.waiting) and self._lanes.get(origin) is lane:
            del self._lanes[origin]

    def _sweep_later(self) -> None:
        delay = self._config.idle_timeout
        self._sweeper = asyncio.get_running_loop().call_later(delay, self._sweep)

    def _sweep(self) -> None:
        self._sweeper = None
        now, wall = asyncio.get_running_loop().time(), time.time()
        for lane in self._lanes.values():
            for connection in lane.idle[:]:
                if not connection.is_fresh(now, wall):
                    lane.idle.remove(connection)
                    connection.close()
        if any(lane.idle for lane in self._lanes.values()):
            self._sweep_later()

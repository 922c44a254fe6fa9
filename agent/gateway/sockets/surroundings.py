"""What all inspected WebSockets of a gateway share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.gateway.asking import Asking
from agent.gateway.ports import Lane, PolicyInForce
from agent.gateway.scans import ScanPool
from agent.gateway.wire import ClientRequest, Wire
from agent.model.traffic import Connection


class Exchanges(Protocol):
    """What closes exchanges: `ExchangeHandler`."""

    async def handle(self, request: ClientRequest, wire: Wire, lane: Lane | None = None) -> bool:
        """See there."""
        ...


class Watch(Protocol):
    """Makes a context for the time that an exchange runs."""

    def __call__(
        self, connection: Connection, *, path: str, answering: Callable[[], bool]
    ) -> AbstractContextManager[object]:
        """`answering` tells whether the answer has begun."""
        ...


class Room:
    """The bytes that all connections together may hold of messages that are not whole."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0

    def moved(self, before: int, now: int) -> bool:
        """One of them holds `now` bytes in place of `before`; whether there is room for that."""
        self._held += now - before
        return self._held <= self._limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all connections share."""

    exchanges: Exchanges
    asking: Asking
    policy: PolicyInForce
    scans: ScanPool
    watch: Watch
    room: Room

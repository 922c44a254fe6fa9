"""Whether a node lives, and whether it should be sent clients: pages for load balancers, and the order to drain.

They tell nothing that an attacker could use, so that the first two need no token.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping

from agent.gateway.local import Answer, LocalPage

log = logging.getLogger(__name__)

HEALTH_PATH = "/healthz"
READY_PATH = "/readyz"
DRAIN_PATH = "/-/drain"
_TEXT = ((b"content-type", b"text/plain; charset=utf-8"),)
_LOOK_SECONDS = 1.0  # a look at the store serves all who ask meanwhile


class Readiness:
    """Ready from `open` until `drain`, while the store that all count in can be used."""

    def __init__(
        self, reachable: Callable[[], Awaitable[bool]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reachable = reachable
        self._clock = clock
        self._looked_at: float | None = None
        self._problem = ""
        self._state = "starting"

    def open(self) -> None:
        """Clients may come."""
        self._state = ""

    def drain(self) -> None:
        """No more clients, please."""
        self._state = "draining"

    async def problem(self) -> str:
        """Why no clients should be sent here, in a word or two; or empty."""
        if self._state:
            return self._state
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            before = self._problem
            self._problem = "" if await self._reachable() else "shared accounts unreachable"
            if before != self._problem:
                log.warning("not ready: %s", self._problem) if self._problem else log.warning("ready again")
        return self._problem


class HealthPage:
    """Implements `LocalPage`: this process serves."""

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del query, bearer, owner
        return 200, _TEXT, b"ok\n"


class ReadyPage:
    """Implements `LocalPage`: 503 where clients should go elsewhere."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del query, bearer, owner
        problem = await self._readiness.problem()
        return (503, _TEXT, f"{problem}\n".encode()) if problem else (200, _TEXT, b"ready\n")


class DrainPage:
    """Implements `LocalPage`: for the control token alone. Begins the end of the node, all its workers included."""

    def __init__(self, readiness: Readiness, drain: Callable[[], None]) -> None:
        self._readiness = readiness
        self._drain = drain

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """See `LocalPage`."""
        del query, bearer
        if not owner:
            return 401, ((b"www-authenticate", b"Bearer"),), b""
        self._readiness.drain()  # who hears the answer must not be told another thing the next moment
        self._drain()
        return 202, _TEXT, b"draining\n"


def node_pages(readiness: Readiness, drain: Callable[[], None]) -> Mapping[str, LocalPage]:
    """The pages by their path."""
    return {
        HEALTH_PATH: HealthPage(),
        READY_PATH: ReadyPage(readiness),
        DRAIN_PATH: DrainPage(readiness, drain),
    }

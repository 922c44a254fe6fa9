"""Secrets behind references, read off the event loop and kept for a while: a key that was replaced is soon in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.errors import ConfigError

KEPT = 300.0  # seconds
FAILED_KEPT = 5.0  # seconds that a failure is kept: a program that hangs is not started for every request


class SecretCache:
    """Reads each reference once, however many ask for it at the same time."""

    def __init__(
        self, secret: Callable[[str], str], *, clock: Callable[[], float], kept: float = KEPT
    ) -> None:
        """`secret` resolves a reference; it may block, and raises ConfigError. `clock` is monotonic, in seconds."""
        self._secret = secret
        self._clock = clock
        self._seconds = kept
        self._kept: dict[str, tuple[float, str]] = {}
        self._failed: dict[str, tuple[float, ConfigError]] = {}
        self._reading: dict[str, asyncio.Lock] = {}

    async def read(self, reference: str) -> str:
        """The secret behind `reference`. Raises ConfigError."""
        if (found := self._found(reference)) is not None:
            return found
        async with self._reading.setdefault(reference, asyncio.Lock()):
            if (found := self._found(reference)) is not None:
                return found
            try:
                value = await asyncio.to_thread(self._secret, reference)
            except ConfigError as error:
                self._failed[reference] = (self._clock() + min(FAILED_KEPT, self._seconds), error)
                raise
            self._kept[reference] = (self._clock() + self._seconds, value)
            return value

    def forget(self, reference: str) -> None:
        """Read it anew next time: it was refused."""
        self._kept.pop(reference, None)
        self._failed.pop(reference, None)

    def _found(self, reference: str) -> str | None:
        now = self._clock()
        if (kept := self._kept.get(reference)) is not None and now < kept[0]:
            return kept[1]
        if (failed := self._failed.get(reference)) is not None and now < failed[0]:
            raise ConfigError(str(failed[1]), hint=failed[1].hint())
        return None

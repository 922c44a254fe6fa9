"""Keys of services: read through their references off the event loop, kept for a minute, never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.checks.ports import CheckError, Failure
from agent.errors import ConfigError

KEPT = 60.0  # seconds; a key that was replaced is in use a minute later


class KeyRing:
    """Implements `ports.Keys`."""

    def __init__(self, secret: Callable[[str], str], *, clock: Callable[[], float]) -> None:
        """`secret` resolves a reference; it may block. `clock` is monotonic, in seconds."""
        self._secret = secret
        self._clock = clock
        self._kept: dict[str, tuple[float, str]] = {}

    async def read(self, reference: str) -> str:
        """The key behind `reference`. Raises CheckError, which says nothing of it."""
        found = self._kept.get(reference)
        if found is not None and self._clock() - found[0] < KEPT:
            return found[1]
        loop = asyncio.get_running_loop()
        try:
            key = await loop.run_in_executor(None, self._secret, reference)
        except ConfigError as error:
            raise CheckError(Failure.CREDENTIALS, f"{error} {error.hint()}".strip()) from error
        if not key.isascii() or not key.isprintable():  # it goes into a header
            raise CheckError(Failure.CREDENTIALS, "a key holds characters that no header can carry")
        self._kept[reference] = (self._clock(), key)
        return key

    def forget(self, reference: str) -> None:
        """Read it anew next time."""
        self._kept.pop(reference, None)

"""Keys of services: read through their references off the event loop, kept for a minute, never shown."""

from __future__ import annotations

from collections.abc import Callable

from agent.checks.ports import CheckError, Failure
from agent.credentials.kept import SecretCache
from agent.errors import ConfigError

KEPT = 60.0  # seconds; a key that was replaced is in use a minute later


class KeyRing:
    """Implements `ports.Keys`."""

    def __init__(self, secret: Callable[[str], str], *, clock: Callable[[], float]) -> None:
        """`secret` resolves a reference; it may block. `clock` is monotonic, in seconds."""
        self._secrets = SecretCache(secret, clock=clock, kept=KEPT)

    async def read(self, reference: str) -> str:
        """The key behind `reference`. Raises CheckError, which says nothing of it."""
        try:
            key = await self._secrets.read(reference)
        except ConfigError as error:
            raise CheckError(Failure.CREDENTIALS, f"{error} {error.hint()}".strip()) from error
        if not key.isascii() or not key.isprintable():  # it goes into a header
            self.forget(reference)
            raise CheckError(Failure.CREDENTIALS, "a key holds characters that no header can carry")
        return key

    def forget(self, reference: str) -> None:
        """Read it anew next time."""
        self._secrets.forget(reference)

"""The client's end of a WebSocket, as it is written to and hung up on."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from agent.gateway.wire import ClientGone


class ClientEnd:
    """One connection's."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Send it, as fast as the client takes it. Raises ClientGone."""
        if self._writer.is_closing():
            raise ClientGone
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (OSError, RuntimeError):
            raise ClientGone from None

    async def hang_up(self, seconds: float) -> None:
        """Close the connection; by force where what was written is not taken within `seconds`."""
        self._writer.close()
        with suppress(OSError):
            try:
                async with asyncio.timeout(seconds):
                    await self._writer.wait_closed()
            except TimeoutError:
                self._writer.transport.abort()

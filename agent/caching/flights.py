"""Questions that are being asked at this moment, so that who asks the same meanwhile can wait for the answer."""

from __future__ import annotations

import asyncio


class Flights:
    """For one event loop. Whoever begins a flight ends it, whatever became of it."""

    def __init__(self) -> None:
        self._under_way: dict[bytes, asyncio.Future[None]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    def begin(self, key: bytes) -> bool:
        """Whether the question is the caller's to ask: nobody asks it now."""
        if key in self._under_way:
            return False
        self._under_way[key] = asyncio.get_running_loop().create_future()
        return True

    async def wait(self, key: bytes, seconds: float) -> None:
        """Until the flight has ended, no longer than `seconds`. Whether it brought an answer, the cache knows."""
        flight = self._under_way.get(key)
        if flight is not None:
            await asyncio.wait((flight,), timeout=seconds)

    def end(self, key: bytes) -> None:
        """The answer is kept, or there will be none."""
        if (flight := self._under_way.pop(key, None)) is not None:
            flight.set_result(None)

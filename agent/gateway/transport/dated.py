"""A transport that hears what time servers say it is, on the way."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from agent.gateway.transport.base import Transport, Tunnel, UpstreamRequest, UpstreamResponse
from agent.model.traffic import Target

_PERIOD = 30.0  # seconds in which one answer is enough
_MAX_DATE = 64  # bytes


class DatedTransport:
    """Passes everything on to another transport. Implements `Transport`."""

    def __init__(
        self,
        inner: Transport,
        heard: Callable[[float], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`heard` gets Unix seconds, from servers whose certificate was good only."""
        self._inner = inner
        self._heard = heard
        self._clock = clock
        self._due = 0.0

    async def send(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        """See `Transport`."""
        response = await self._inner.send(target, request)
        if target.tls and (now := self._clock()) >= self._due and (said := _date(response)) is not None:
            self._due = now + _PERIOD
            self._heard(said)
        return response

    async def connect(self, target: Target) -> Tunnel:
        """See `Transport`."""
        return await self._inner.connect(target)

    def drop_idle(self) -> None:
        """See `Transport`."""
        self._inner.drop_idle()

    async def aclose(self) -> None:
        """See `Transport`."""
        await self._inner.aclose()


def _date(response: UpstreamResponse) -> float | None:
    """When the answer was made, as its server says; None for one out of a cache, or that says nothing sound."""
    date = b""
    for name, value in response.headers:
        if name == b"age":
            return None
        if name == b"date":
            date = value
    if not date or len(date) > _MAX_DATE:
        return None
    try:
        return parsedate_to_datetime(date.decode("ascii")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None

"""Requests of our own, small in both directions, on the way that all traffic takes: same transport, proxy and roots."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from agent.credentials.google import Fetched
from agent.errors import UpstreamError
from agent.gateway.routing import target_of
from agent.gateway.transport.base import Headers, Transport, UpstreamRequest, UpstreamResponse

MAX_ANSWER = 1024 * 1024  # bytes
SECONDS = 30.0


class SmallRequests:
    """Sends one request and reads its answer whole. Implements `credentials.google.Fetch`."""

    def __init__(self, transport: Transport, *, limit: int = MAX_ANSWER, seconds: float = SECONDS) -> None:
        """`limit` is the most of an answer's bytes, `seconds` the most that one request may take."""
        self._transport = transport
        self._limit = limit
        self._seconds = seconds

    async def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        """The answer, whatever its status. Raises UpstreamError, and ConfigError where `url` is none."""
        fields = tuple(
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
        )
        return await self.send(method, url, fields, body)

    async def send(self, method: str, url: str, fields: Headers, body: bytes) -> Fetched:
        """The same with fields as they go on the wire."""
        target = target_of(url)
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request = UpstreamRequest(
            method=method.encode(),
            target=path.encode("latin-1"),
            headers=(
                (b"host", parts.netloc.rpartition("@")[2].encode()),
                (b"accept-encoding", b"identity"),
                *fields,
            ),
            body=body,
        )
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.send(target, request)
                try:
                    return await self._whole(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise UpstreamError(f"{target.host} did not answer within {self._seconds:g} seconds") from None

    async def _whole(self, response: UpstreamResponse) -> Fetched:
        parts: list[bytes] = []
        size = 0
        async for part in response:
            size += len(part)
            if size > self._limit:
                raise UpstreamError(f"the answer is larger than {self._limit} bytes")
            parts.append(part)
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
        }
        return Fetched(status=response.status, headers=headers, body=b"".join(parts))

"""How exports reach a collector: one POST of protobuf, gzipped, over HTTP. Control plane: httpx, loaded when needed.

Certificates are verified, redirects are not followed, the environment's proxy settings are not read: the company proxy
is the one that the agent's settings name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from agent.checks.http import HttpConfig
from agent.errors import UpstreamError

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10.0
_MOST_OF_ANSWER = 64 * 1024  # bytes: a collector says little


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a collector answered. `retry_after` is in seconds, None where it did not say."""

    status: int
    body: bytes = b""
    retry_after: float | None = None


class Collector(Protocol):
    """Takes exports."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Deliver `body`. Raises UpstreamError where no answer came."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


class HttpCollector:
    """Implements `Collector` on httpx."""

    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._client: httpx.AsyncClient | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """See `Collector`."""
        if self._client is None:
            self._client = await asyncio.to_thread(self._open, url)
        import httpx

        try:
            async with self._client.stream("POST", url, headers=dict(headers), content=body) as response:
                said = b""
                async for part in response.aiter_raw():
                    said += part
                    if len(said) > _MOST_OF_ANSWER:
                        said = b""
                        break
                return Receipt(
                    status=response.status_code,
                    body=said,
                    retry_after=_seconds(response.headers.get("retry-after", "")),
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise UpstreamError(f"the collector does not answer: {type(error).__name__}") from error

    async def aclose(self) -> None:
        """See `Collector`."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _open(self, url: str) -> httpx.AsyncClient:
        """Import httpx and read the system's roots: both take long, so this runs off the event loop."""
        import httpx

        config = self._config
        introduction = (
            {"Proxy-Authorization": config.proxy_authorization} if config.proxy_authorization else {}
        )
        proxy = (
            httpx.Proxy(config.proxy_url, headers=introduction)
            if config.proxy_for(httpx.URL(url).host)
            else None
        )
        return httpx.AsyncClient(
            verify=config.context(),
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_SECONDS,
            limits=httpx.Limits(max_connections=2),
            headers={"user-agent": "drawbridge", "accept-encoding": "identity"},
        )


def _seconds(text: str) -> float | None:
    """`retry-after` in seconds; its other form, a date, is not worth a clock that may differ."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None

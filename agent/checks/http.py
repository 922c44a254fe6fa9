"""HTTP towards the services that checks ask: one POST, one small answer.

Certificates are verified, redirects are not followed, cookies are not kept, the environment's proxy settings are not
read: the company proxy is the one that the agent's settings name. aiohttp is imported at the first call, for most
machines ask nobody.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.checks.ports import CheckError, Failure, HttpAnswer
from agent.host.proxy_exceptions import ProxyExceptions

if TYPE_CHECKING:
    import aiohttp
    from aiohttp.abc import ResolveResult

MAX_ANSWER = 1024 * 1024  # bytes
_IDLE_SECONDS = 30.0
_MAX_CONNECTIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConfig:
    """How services are reached."""

    context: Callable[[], ssl.SSLContext]
    """Makes the context that verifies certificates. May block; called once."""

    resolve: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    """Addresses that the settings pin: (name, port) to (address, port)."""

    proxy_url: str = ""  # http://host:port, without credentials
    proxy_authorization: str = field(default="", repr=False)
    direct: ProxyExceptions = field(default_factory=ProxyExceptions)  # hosts that the proxy is not for
    max_answer: int = MAX_ANSWER

    def proxy_for(self, host: str) -> str:
        """The proxy's URL; empty where the host is reached without."""
        return "" if self.direct.cover(host) else self.proxy_url


class AioHttp:
    """Implements `ports.Http` on aiohttp."""

    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """See `ports.Http`. How long it may take is the caller's matter."""
        session = self._session or await self._open()
        import aiohttp

        try:
            try:
                return await self._once(session, url, headers, body)
            except (aiohttp.ServerDisconnectedError, ConnectionResetError):
                # the service closed a kept connection as we used it; to ask twice does no harm
                return await self._once(session, url, headers, body)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # aiohttp's texts may quote what a server sent
            raise CheckError(Failure.UNREACHABLE, type(error).__name__) from None

    async def _once(
        self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes
    ) -> HttpAnswer:
        from yarl import URL

        proxy = self._config.proxy_for(URL(url, encoded=True).host or "")
        introduction = self._introduction() if proxy else {}
        through_tunnel = url.startswith("https:")
        async with session.post(
            URL(url, encoded=True),  # signatures cover the path as it is written
            data=body,
            headers={**headers, **({} if through_tunnel else introduction)},
            allow_redirects=False,
            proxy=proxy or None,
            proxy_headers=introduction if through_tunnel and introduction else None,
        ) as response:
            if 300 <= response.status < 400:
                raise CheckError(Failure.REDIRECT, f"status {response.status}")
            return HttpAnswer(status=response.status, body=await self._read(response))

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._config.max_answer:
                response.close()
                raise CheckError(Failure.TOO_LARGE, f"more than {self._config.max_answer} bytes")
            parts.append(part)
        return b"".join(parts)

    async def _open(self) -> aiohttp.ClientSession:
        async with self._opening:
            if self._session is None:
                if self._closed:
                    raise CheckError(Failure.NOT_RUNNING)
                context = await asyncio.to_thread(self._prepare)
                self._session = _session(context, self._config)
            return self._session

    def _prepare(self) -> ssl.SSLContext:
        import aiohttp  # noqa: F401  takes a third of a second: off the event loop

        return self._config.context()

    def _introduction(self) -> dict[str, str]:
        given = self._config.proxy_authorization
        return {"Proxy-Authorization": given} if given else {}


def _session(context: ssl.SSLContext, config: HttpConfig) -> aiohttp.ClientSession:
    import aiohttp

    class Pinned(aiohttp.ThreadedResolver):
        """The system's resolver, but for the names that the settings pin. aiohttp dials the port in its answer."""

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            address, at_port = config.resolve.get((host, port), (host, port))
            return await super().resolve(address, at_port, family)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=context,
            resolver=Pinned(),
            use_dns_cache=False,
            limit=_MAX_CONNECTIONS,
            keepalive_timeout=_IDLE_SECONDS,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,  # an answer that unpacks to gigabytes would pass the limit
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "drawbridge"},
        timeout=aiohttp.ClientTimeout(total=None),
    )

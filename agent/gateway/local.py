"""What the loopback listener serves besides base URLs: the agent's own status and further pages of its own.

Loopback does not mean trusted: a web page may reach it by DNS rebinding, another user of the machine directly. So the
`Host` must be ours, a request with an `Origin` is refused, and the status needs the token from the state directory.
Every further page is told whether the token was shown, and decides by itself.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol

import orjson

from agent.gateway import headers
from agent.gateway.transport.base import Headers

STATUS_PATH = "/-/status"
_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SAFE = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)

type Answer = tuple[int, Headers, bytes]
type Guard = Callable[[Headers, int], str]
"""Why a request with these headers to a listener's port must not be served, or empty."""


class LocalPage(Protocol):
    """A page besides the status."""

    async def answer(self, query: bytes, bearer: bytes, *, owner: bool) -> Answer:
        """Status, content headers and body for a request with the token `bearer`; `owner` says that it is the control
        token. Headers that keep pages from being kept, framed or sniffed are added."""
        ...


_NO_PAGES: Mapping[str, LocalPage] = MappingProxyType({})


class LocalPages:
    """Guards the loopback listener and answers its own paths."""

    def __init__(
        self,
        token: str,
        status: Callable[[], Mapping[str, object]] | None = None,
        pages: Mapping[str, LocalPage] = _NO_PAGES,
        guard: Guard | None = None,
    ) -> None:
        """Without `status` there is no such page. `pages` are further ones by their path. `guard` stands in the
        place of `foreign`."""
        self._token = token.encode()
        self._status = status
        self._pages = pages
        self._guard = guard or foreign

    def refuses(self, fields: Headers, port: int) -> str:
        """See `Guard`."""
        return self._guard(fields, port)

    async def serve(self, path: str, query: bytes, fields: Headers) -> Answer | None:
        """The answer for one of our own paths, or None for every other path."""
        page = self._pages.get(path)
        if page is None and (path != STATUS_PATH or self._status is None):
            return None
        bearer = headers.get(fields, b"authorization").removeprefix(b"Bearer ")
        owner = hmac.compare_digest(bearer, self._token)
        if page is not None:
            status, content, body = await page.answer(query, bearer, owner=owner)
            return status, (*content, *_SAFE), body
        if not owner or self._status is None:
            return 401, _SAFE, b""
        return 200, ((b"content-type", b"application/json"), *_SAFE), orjson.dumps(dict(self._status()))


def foreign(fields: Headers, port: int) -> str:
    """Why a request to the loopback listener on `port`, an upgrade or not, must not be served, or empty."""
    host = headers.get(fields, b"host").decode("latin-1").lower()
    name, _, given = host.rpartition(":")
    if name not in _NAMES or given != str(port):
        return f"this listener answers to 127.0.0.1:{port} only"
    if headers.get(fields, b"origin"):
        return "requests from web pages are not served"
    return ""

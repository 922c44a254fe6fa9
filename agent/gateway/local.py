"""What the loopback listener serves besides base URLs: the agent's own status, for the command line.

Loopback does not mean trusted: a web page may reach it by DNS rebinding, another user of the machine directly. So the
`Host` must be ours, a request with an `Origin` is refused, and the status needs the token from the state directory.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping

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


class LocalPages:
    """Guards the loopback listener and answers its own paths."""

    def __init__(self, token: str, status: Callable[[], Mapping[str, object]]) -> None:
        self._token = token.encode()
        self._status = status

    def refuses(self, fields: Headers, port: int) -> str:
        """See `foreign`."""
        return foreign(fields, port)

    def serve(self, path: str, fields: Headers) -> tuple[int, Headers, bytes] | None:
        """The answer for one of our own paths, or None for every other path."""
        if path != STATUS_PATH:
            return None
        given = headers.get(fields, b"authorization").removeprefix(b"Bearer ")
        if not hmac.compare_digest(given, self._token):
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

"""The company proxy, as configured: where it is and how we introduce ourselves."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from agent.errors import ConfigError
from agent.gateway.transport.base import FailureKind, TransportError
from agent.gateway.transport.dial import peer_name

_DEFAULT_PORT = 80
_AUTHENTICATION_REQUIRED = 407


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy that understands CONNECT."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    """The value of `proxy-authorization`, or empty."""

    @property
    def url(self) -> str:
        """The address without the credentials."""
        return f"http://{peer_name(self.host, self.port)}"


def parse_proxy(url: str) -> Proxy:
    """Read `http://[user:password@]host[:port]`. Raises ConfigError, without the credentials in its text."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _DEFAULT_PORT
    except ValueError as error:
        raise _malformed() from error.with_traceback(None)
    if parts.scheme != "http" or not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise _malformed()
    authorization = ""
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {b64encode(credentials.encode()).decode()}"
    return Proxy(host=host, port=port, authorization=authorization)


def proxy_refusal(proxy: Proxy, status: int) -> TransportError:
    """The error for a proxy that would not open a connection; `status` 0 where it did not speak HTTP."""
    peer = peer_name(proxy.host, proxy.port)
    if status == _AUTHENTICATION_REQUIRED:
        return TransportError(
            FailureKind.CONNECT,
            f"the proxy {peer} asks for credentials",
            sent=False,
            hint="Put user and password into the proxy's URL; only Basic authentication is supported.",
        )
    return TransportError(
        FailureKind.CONNECT,
        f"the proxy {peer} refused the connection with status {status}",
        sent=False,
        hint="Ask whether the proxy allows this destination.",
    )


def _malformed() -> ConfigError:
    return ConfigError(
        "the proxy's URL is malformed", hint="Write http://host:port, or http://user:password@host:port."
    )

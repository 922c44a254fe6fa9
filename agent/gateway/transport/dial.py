"""Opens connections: name, address, socket, TLS. Every way in which that fails becomes a TransportError here.

It sends nothing of a request, so its errors all say `sent=False`; it keeps no connection and speaks no HTTP.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohappyeyeballs import AddrInfoType, start_connection

from agent.gateway.transport.base import FailureKind, TransportConfig, TransportError

type Origin = tuple[str, int, bool]
"""Host, port, and whether TLS is spoken."""

ADDRESS_DELAY = 0.25  # RFC 8305 section 8: how long one address may keep the next one waiting
_LATER = 5.0  # asyncio's own handshake limit must not come first: it reports an aborted connection
_SHUTDOWN_TIMEOUT = 2.0  # for the peer's close_notify; asyncio's own 30 s would hold the socket as long
_LOST_AFTER = 30  # seconds without a sign of life after which the network has gone: sleep, another Wi-Fi

_TRUST_HINT = (
    "If the company inspects TLS, its root certificate must be in the system's trust store or in ca_file;"
    " otherwise someone may be impersonating the server."
)


def peer_name(host: str, port: int) -> str:
    """How messages name a server."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Dialer:
    """Opens connections to origins as the configuration says."""

    def __init__(self, config: TransportConfig, context: ssl.SSLContext) -> None:
        self._config = config
        self._context = context

    async def open[P: asyncio.BaseProtocol](
        self, origin: Origin, factory: Callable[[], P]
    ) -> tuple[asyncio.Transport, P]:
        """Connect to `origin` and hand the connection, TLS done, to a protocol made by `factory`.

        Raises TransportError.
        """
        host, port, tls = origin
        sock = await self._connect(host, port)
        loop = asyncio.get_running_loop()
        if not tls:
            return await loop.create_connection(factory, sock=sock)
        with tls_failures(peer_name(host, port)):
            async with asyncio.timeout(self._config.tls_timeout):
                return await loop.create_connection(
                    factory,
                    sock=sock,
                    ssl=self._context,
                    server_hostname=host,
                    ssl_handshake_timeout=self._config.tls_timeout + _LATER,
                    ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT,
                )

    async def start_tls(self, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        """Begin TLS with `host` on a connection that a proxy has opened to it. Raises TransportError."""
        with tls_failures(peer_name(host, port)):
            async with asyncio.timeout(self._config.tls_timeout):
                await writer.start_tls(
                    self._context,
                    server_hostname=host,
                    ssl_handshake_timeout=self._config.tls_timeout + _LATER,
                    ssl_shutdown_timeout=_SHUTDOWN_TIMEOUT,
                )

    async def _connect(self, host: str, port: int) -> socket.socket:
        address, at_port = self._config.resolve.get((host, port), (host, port))
        peer = peer_name(host, port)
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                infos = await asyncio.get_running_loop().getaddrinfo(
                    address, at_port, type=socket.SOCK_STREAM
                )
                # asyncio's own race asserts under eager tasks, which mitmproxy may switch on (Python 3.13.0)
                return await start_connection(
                    infos, happy_eyeballs_delay=ADDRESS_DELAY, interleave=1, socket_factory=watched_socket
                )
        except TimeoutError as error:
            raise no_connection(peer, "no answer in time", kind=FailureKind.TIMEOUT) from error
        except (socket.gaierror, UnicodeError) as error:  # UnicodeError: no valid name at all
            raise no_address(host) from error
        except OSError as error:
            raise no_connection(peer, system_reason(error)) from error


def no_address(host: str) -> TransportError:
    """The error for a name without addresses."""
    return TransportError(
        FailureKind.DNS,
        f"the name {host} cannot be resolved",
        sent=False,
        hint="Check the network and the name.",
    )


def no_connection(peer: str, reason: str, *, kind: FailureKind = FailureKind.CONNECT) -> TransportError:
    """The error for a server, or proxy, that TCP does not reach."""
    return TransportError(
        kind,
        f"no connection to {peer}: {reason}",
        sent=False,
        hint="Check the network; a firewall may refuse the connection, or a proxy be needed.",
    )


def system_reason(error: OSError) -> str:
    """The system's word for `error`, without the addresses that asyncio adds."""
    return os.strerror(error.errno) if error.errno else "no address could be reached"


@contextmanager
def tls_failures(peer: str) -> Iterator[None]:
    """Turn whatever the TLS handshake with `peer` inside raises into a TransportError."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise TransportError(
            FailureKind.TLS,
            f"the certificate of {peer} is not trusted: {error.verify_message}",
            sent=False,
            hint=_TRUST_HINT,
        ) from error
    except TimeoutError as error:
        raise TransportError(
            FailureKind.TIMEOUT, f"no TLS handshake with {peer} in time", sent=False
        ) from error
    except ssl.SSLError as error:
        reason = (
            getattr(error, "reason", None) or "unknown reason"
        )  # absent where Python raises it, not OpenSSL
        raise TransportError(
            FailureKind.TLS, f"the TLS handshake with {peer} failed: {reason}", sent=False
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a name that TLS cannot carry
        raise TransportError(
            FailureKind.TLS, f"{peer} ended the connection in the TLS handshake", sent=False
        ) from error


def watched_socket(info: AddrInfoType) -> socket.socket:
    """A socket for which the kernel notices a peer that is gone without a word; others wait for minutes."""
    sock = socket.socket(info[0], info[1], info[2])
    wanted = (
        (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
        (socket.IPPROTO_TCP, "TCP_NODELAY", 1),
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", _LOST_AFTER),  # silence before the first probe
        (socket.IPPROTO_TCP, "TCP_KEEPALIVE", _LOST_AFTER),  # the same on macOS
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 10),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", _LOST_AFTER * 1000),  # sent but unacknowledged: Linux, ms
        (socket.IPPROTO_TCP, "TCP_RXT_CONNDROPTIME", _LOST_AFTER),  # macOS, s
        (socket.IPPROTO_TCP, "TCP_MAXRT", _LOST_AFTER),  # Windows, s
    )
    for level, name, value in wanted:
        option = getattr(socket, name, None)
        if option is not None:
            try:
                sock.setsockopt(level, option, value)
            except OSError:
                continue  # a system that names the option and refuses it loses this comfort only
    return sock

"""The port through which the gateway reaches upstreams: what is sent, what comes back, how it fails.

It fixes the contract that every transport keeps and the limits they share. It knows no sockets, and nothing of
models, policies or retries between upstreams: those are the gateway's. Whatever a transport's libraries raise is
turned into `TransportError` here or at its edge, so that callers catch one type.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from agent.errors import UpstreamError
from agent.model.direct import direct
from agent.model.traffic import Target

type Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields with lower-case names, in order, duplicates kept."""


class FailureKind(StrEnum):
    """Where the way to the upstream broke."""

    DNS = "dns"  # the name has no address
    CONNECT = "connect"  # no TCP connection, or the company proxy refused
    TLS = "tls"  # no handshake, or a certificate we do not trust
    TIMEOUT = "timeout"  # one of the limits in `TransportConfig` passed
    PROTOCOL = "protocol"  # bytes that are not HTTP/1.1, or a request that could not be written as HTTP/1.1
    CLOSED = "closed"  # the connection ended before the answer did


class TransportError(UpstreamError):
    """The upstream could not be reached or did not answer in full. The message is safe to show to the user.

    `sent` says whether bytes of the request may have reached the server: only where it is False may a caller send the
    same request elsewhere without asking whether it is repeatable.
    """

    def __init__(self, kind: FailureKind, message: str, *, sent: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.sent = sent


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One request as it goes on the wire.

    `target` is path and query as sent, `Target.base_path` already included. `headers` hold exactly one `host`. Framing
    (`content-length`, `transfer-encoding`) and other hop-by-hop fields among them are left out: the transport writes
    its own. A body of bytes can be sent again if a kept connection turns out to be dead; an iterator cannot.
    """

    method: bytes
    target: bytes
    headers: Headers = ()
    body: bytes | AsyncIterator[bytes] = b""
    content_length: int | None = None
    """Bytes in an iterator's body; None sends it chunked. Ignored where the body is bytes."""


class UpstreamResponse(Protocol):
    """The answer's head, and its body as it arrives. One consumer; not for sharing between tasks."""

    @property
    def status(self) -> int:
        """The final status, 200 to 999: interim (1xx) answers are skipped."""
        ...

    @property
    def reason(self) -> bytes:
        """The reason phrase, often empty."""
        ...

    @property
    def headers(self) -> Headers:
        """The fields of the head as received, hop-by-hop ones included."""
        ...

    @property
    def http_version(self) -> str:
        """`1.0` or `1.1`."""
        ...

    @property
    def trailers(self) -> Headers:
        """Fields after a chunked body; empty before its end, and where the transport does not report them."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body in the pieces in which it came, without chunk framing, content coding untouched.

        Raises TransportError where it is cut short, breaks HTTP/1.1, or stalls longer than `read_timeout`.
        """
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The same iterator as `__aiter__`, for callers that prefer a name."""
        ...

    async def aclose(self) -> None:
        """Give the answer up: ends the connection unless the body had arrived in full. Idempotent."""
        ...


class Tunnel(Protocol):
    """A raw connection to an origin, TLS ended here, for what begins as HTTP/1.1 and goes on as something else."""

    async def read(self) -> bytes:
        """The next bytes as they arrive, at most 64 KiB; empty at the end. Raises TransportError."""
        ...

    async def write(self, data: bytes) -> None:
        """Send `data`; waits while the other side is slow to read. Raises TransportError."""
        ...

    async def aclose(self) -> None:
        """End the connection. Idempotent."""
        ...


class Transport(Protocol):
    """Sends requests to origins."""

    async def send(self, target: Target, request: UpstreamRequest) -> UpstreamResponse:
        """Send `request`; returns at the final answer's head. The caller owes the response an `aclose` or its end.

        Cancelling the call, or a read of the response, closes the connection. Raises TransportError; an exception
        out of the request's own body iterator passes unchanged.
        """
        ...

    async def connect(self, target: Target) -> Tunnel:
        """Open a raw connection to the origin, for an upgrade. Raises TransportError."""
        ...

    def drop_idle(self) -> None:
        """Close the connections kept for reuse: the network changed, or the machine slept."""
        ...

    async def aclose(self) -> None:
        """Close every connection, also those in use. Idempotent."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportConfig:
    """Where to and how long. Times are seconds, sizes bytes."""

    connect_timeout: float = 10.0
    """Name resolution and TCP connection together; also the wait for a place where `max_connections` is set."""
    tls_timeout: float = 10.0
    head_timeout: float = 600.0
    """From the request's last byte to the answer's head. Long: models think for minutes."""
    read_timeout: float = 600.0
    """Silence within an answer's body."""
    write_timeout: float = 120.0
    """How long the server may refuse to take the next bytes of a large or streamed request."""
    idle_timeout: float = 55.0
    """Just under the 60 s after which common load balancers close a silent connection."""
    max_idle: int = 256
    """Connections kept for reuse, per origin: as many as a busy gateway uses at a time, or it opens new ones."""
    max_connections: int | None = None
    """Connections in use, per origin; None sets no limit."""
    max_head: int = 256 * 1024
    """Bytes of an answer's head, all interim answers included, and of its trailers."""
    max_headers: int = 256
    read_buffer: int = 256 * 1024
    """Bytes of an answer held for a slow consumer before the socket is no longer read."""
    resolve: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=lambda: MappingProxyType({}))
    """Connect to another address than (host, port) says, as curl's --resolve: name and TLS checks stay the origin's."""
    ca_file: Path | None = None
    """PEM roots trusted besides the system's."""
    proxy_url: str = field(default="", repr=False)
    """The company's HTTP proxy, `http://[user:password@]host:port`. The environment is not consulted."""
    direct: tuple[str, ...] = ()
    """Hosts that the proxy is not for, see `agent.host.proxy_exceptions`."""

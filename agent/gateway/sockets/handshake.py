"""The opening handshake of a WebSocket with the service (RFC 6455 section 4), without any extension.

A service that declines all extensions is what every client must be ready for; so none is offered, and messages come as
they are (docs/adr/0020).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass

from agent.errors import UpstreamError
from agent.gateway import headers
from agent.gateway.transport.base import FailureKind, Headers, TransportError, Tunnel
from agent.gateway.transport.response_parser import ResponseParser

SECONDS = 30.0
"""Within which the service must answer; Codex itself waits 15 s."""

MAX_HEAD = 64 * 1024
MAX_REFUSAL = 256 * 1024
"""Bytes of the body of an answer that is no agreement."""

_MAX_FIELDS = 256
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_EXTENSIONS = b"sec-websocket-extensions"
_NEVER = frozenset({b"host", b"content-length", _EXTENSIONS})
_KEY_PROTOCOL = b"openai-insecure-api-key."  # OpenAI, "Realtime API with WebSocket", from a browser
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The service's answer: 101, or what it said instead. `rest` is what came after the head of the first, the body of
    the second."""

    status: int
    headers: Headers
    rest: bytes = b""


def offered(fields: Headers | list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The client's fields as the service may see them."""
    return headers.forwardable(fields, drop=_NEVER)


def handshakes(name: bytes) -> bool:
    """Whether a field is about the handshake itself."""
    return name.startswith(b"sec-websocket-")


def without_keys(fields: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields without the keys that pages put among the subprotocols, since a browser's WebSocket has no headers."""
    return [
        (name, _without_keys(value) if name == b"sec-websocket-protocol" else value) for name, value in fields
    ]


def request_head(target: bytes, fields: list[tuple[bytes, bytes]]) -> bytes:
    """The request to upgrade. `fields` hold the `host`."""
    lines = [b"GET " + target + b" HTTP/1.1", *(name + b": " + value for name, value in fields)]
    lines += [b"connection: Upgrade", b"upgrade: websocket", b"", b""]
    return b"\r\n".join(lines)


def agreement(opened: Opened) -> bytes:
    """The head of the answer to the client whose upgrade the service has taken."""
    lines = [b"HTTP/1.1 101 Switching Protocols"]
    lines += [name + b": " + value for name, value in headers.forwardable(opened.headers)]
    lines += [b"connection: Upgrade", b"upgrade: websocket", b"", b""]
    return b"\r\n".join(lines)


def declined(opened: Opened) -> bytes:
    """The answer to the client whose upgrade the service has not taken: the service's own, in one piece."""
    fields = headers.forwardable(opened.headers, drop=frozenset({b"content-length", b"alt-svc"}))
    lines = [f"HTTP/1.1 {opened.status} Declined".encode()]
    lines += [name + b": " + value for name, value in fields]
    lines += [f"content-length: {len(opened.rest)}".encode(), b"connection: close", b"", b""]
    return b"\r\n".join(lines) + opened.rest


async def read_answer(tunnel: Tunnel, key: bytes, *, peer: str) -> Opened:
    """Read the answer to the request whose `sec-websocket-key` is `key`. Raises UpstreamError where it is none, or no
    agreement with that request."""
    try:
        async with asyncio.timeout(SECONDS):
            data = b""
            while _END not in data:
                piece = await tunnel.read()
                if not piece or len(data) + len(piece) > MAX_HEAD:
                    raise _nonsense(peer, "its answer has no end" if piece else "it closed the connection")
                data += piece
            head, _, rest = data.partition(_END)
            if head[:13] not in (b"HTTP/1.1 101 ", b"HTTP/1.1 101\r"):
                return await _refusal(tunnel, data, peer)
    except TimeoutError as error:
        raise TransportError(
            FailureKind.TIMEOUT, f"{peer} did not answer the request for a WebSocket in time", sent=True
        ) from error
    fields = _fields(head, peer)
    if headers.get(fields, b"upgrade").lower() != b"websocket":
        raise _nonsense(peer, "it switched to another protocol")
    if headers.get(fields, b"sec-websocket-accept") != accept(key):
        raise _nonsense(peer, "it accepted another request")
    if headers.get(fields, _EXTENSIONS):
        raise _nonsense(peer, "it uses an extension that was not offered")
    return Opened(status=101, headers=fields, rest=rest)


def accept(key: bytes) -> bytes:
    """What an answer to a request with that key must say (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())


async def _refusal(tunnel: Tunnel, data: bytes, peer: str) -> Opened:
    parser = ResponseParser(method=b"GET", peer=peer, max_head=MAX_HEAD, max_headers=_MAX_FIELDS)
    parser.feed(data)
    while not parser.complete and parser.failure is None and parser.held <= MAX_REFUSAL:
        if piece := await tunnel.read():
            parser.feed(piece)
        else:
            parser.eof()
    if parser.failure is not None and not parser.head_done:
        raise parser.failure
    body = b"".join(parser.pieces)[:MAX_REFUSAL]
    return Opened(status=parser.status, headers=parser.headers, rest=body)


def _fields(head: bytes, peer: str) -> Headers:
    fields: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or not line.isascii() or {0, 10, 13} & set(line):
            raise _nonsense(peer, "its head is malformed")
        fields.append((name.lower(), value.strip(b" \t")))
    if len(fields) > _MAX_FIELDS:
        raise _nonsense(peer, "its head has too many fields")
    return tuple(fields)


def _without_keys(protocols: bytes) -> bytes:
    offers = (each.strip() for each in protocols.split(b","))
    return b", ".join(each for each in offers if not each.startswith(_KEY_PROTOCOL))


def _nonsense(peer: str, what: str) -> UpstreamError:
    return TransportError(
        FailureKind.PROTOCOL,
        f"{peer} did not answer the request for a WebSocket as one does: {what}",
        sent=True,
    )

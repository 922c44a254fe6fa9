"""Reads the server name and the ALPN offers out of a TLS ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3,
RFC 7301) without doing TLS. Pure; a hello may span records and reads."""

from __future__ import annotations

from dataclasses import dataclass

MAX_HELLO = 64 * 1024  # bytes; post-quantum key shares make hellos of a few KB


class NotTls(ValueError):
    """The bytes are no TLS ClientHello."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """What a client says before anything is encrypted. `sni` is lower case, empty where absent."""

    sni: str = ""
    alpn: tuple[bytes, ...] = ()


def parse(data: bytes) -> ClientHello | None:
    """The hello at the start of `data`; None while more bytes are needed. Raises NotTls."""
    hello = _handshake(data)
    if hello is None:
        return None
    try:
        return _read(hello)
    except IndexError:
        raise NotTls("the ClientHello is cut short") from None


def _handshake(data: bytes) -> bytes | None:
    """The ClientHello message, put together from its records; None while incomplete."""
    message = b""
    at = 0
    while True:
        if len(data) > at and data[at] != 0x16:
            raise NotTls("not a TLS handshake")
        if len(data) < at + 5:
            return None
        if data[at + 1] != 3:
            raise NotTls("not a TLS record")
        length = int.from_bytes(data[at + 3 : at + 5])
        message += data[at + 5 : at + 5 + length]
        if message and message[0] != 1:
            raise NotTls("not a ClientHello")
        if len(message) >= 4:
            size = int.from_bytes(message[1:4])
            if size > MAX_HELLO:
                raise NotTls("the ClientHello is too large")
            if len(message) >= 4 + size:
                return message[4 : 4 + size]
        if len(data) < at + 5 + length:
            return None
        at += 5 + length


def _read(hello: bytes) -> ClientHello:
    at = 2 + 32  # version, random
    at += 1 + hello[at]  # session id
    at += 2 + int.from_bytes(hello[at : at + 2])  # cipher suites
    at += 1 + hello[at]  # compression methods
    sni = ""
    alpn: tuple[bytes, ...] = ()
    end = at + 2 + int.from_bytes(hello[at : at + 2])
    at += 2
    while at + 4 <= min(end, len(hello)):
        kind, length = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        body = hello[at + 4 : at + 4 + length]
        if kind == 0:
            sni = _server_name(body)
        elif kind == 16:
            alpn = _protocols(body)
        at += 4 + length
    return ClientHello(sni=sni, alpn=alpn)


def _server_name(body: bytes) -> str:
    if len(body) < 5 or body[2] != 0:  # list length, then one entry of type host_name
        return ""
    length = int.from_bytes(body[3:5])
    return body[5 : 5 + length].decode("ascii", "replace").lower().rstrip(".")


def _protocols(body: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 2
    while at < len(body):
        length = body[at]
        found.append(body[at + 1 : at + 1 + length])
        at += 1 + length
    return tuple(found)

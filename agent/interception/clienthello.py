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
    return _read(hello)


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
    """As strict as TLS servers are: a hello that only we could read would lead a connection to a wrong place."""
    at = 2 + 32  # version, random
    at = _past(hello, at, size=1, least=0, most=32)  # session id
    at = _past(hello, at, size=2, least=2, most=0xFFFE)  # cipher suites
    at = _past(hello, at, size=1, least=1, most=0xFF)  # compression methods
    if at == len(hello):
        return ClientHello()
    if _past(hello, at, size=2, least=0, most=0xFFFF) != len(hello):
        raise NotTls("bytes after the extensions")
    sni = ""
    alpn: tuple[bytes, ...] = ()
    at += 2
    while at < len(hello):
        end = _past(hello, at + 2, size=2, least=0, most=0xFFFF)
        kind, body = int.from_bytes(hello[at : at + 2]), hello[at + 4 : end]
        if kind == 0:
            sni = _server_name(body)
        elif kind == 16:
            alpn = _protocols(body)
        at = end
    return ClientHello(sni=sni, alpn=alpn)


def _past(data: bytes, at: int, *, size: int, least: int, most: int) -> int:
    """Where a vector ends whose length, within `least` and `most`, is written in `size` bytes at `at`."""
    length = int.from_bytes(data[at : at + size])
    end = at + size + length
    if end > len(data) or not least <= length <= most:
        raise NotTls("the ClientHello is malformed")
    return end


def _server_name(body: bytes) -> str:
    """RFC 6066 section 3: a list of names, of which only the kind host_name was ever defined."""
    if not body:
        return ""  # a resumed session may leave it empty
    if _past(body, 0, size=2, least=4, most=0xFFFF) != len(body) or body[2] != 0:
        raise NotTls("the server name is malformed")
    if _past(body, 3, size=2, least=1, most=0xFF) != len(body):
        raise NotTls("more than one server name")
    return body[5:].decode("ascii", "replace").lower().rstrip(".")


def _protocols(body: bytes) -> tuple[bytes, ...]:
    """RFC 7301 section 3.1."""
    if _past(body, 0, size=2, least=2, most=0xFFFF) != len(body):
        raise NotTls("the protocol list is malformed")
    found: list[bytes] = []
    at = 2
    while at < len(body):
        end = _past(body, at, size=1, least=1, most=0xFF)
        found.append(body[at + 1 : end])
        at = end
    return tuple(found)

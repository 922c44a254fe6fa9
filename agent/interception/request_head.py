"""Reads the head of a request to a proxy: CONNECT, or a plain GET for the PAC file (RFC 9112 section 3.2). Pure."""

from __future__ import annotations

from dataclasses import dataclass

MAX_HEAD = 32 * 1024


class BadHead(ValueError):
    """The bytes are no request head that a proxy could serve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyHead:
    """The first line and the fields that matter. For CONNECT, `host` (lower case) and `port` are the authority."""

    method: str
    target: str
    host: str = ""
    port: int = 0
    host_field: str = ""
    origin_field: str = ""
    captured: bool = False  # it asked for no proxy: the system led it here


def parse(data: bytes) -> tuple[ProxyHead, bytes] | None:
    """The head and what follows it; None while incomplete. Raises BadHead."""
    end = data.find(b"\r\n\r\n")
    if end > MAX_HEAD or (end < 0 and len(data) > MAX_HEAD):
        raise BadHead("the request head is too large")
    if end < 0:
        if data[:1] == b"\x16":
            raise BadHead("TLS to the proxy itself is not served")
        return None
    lines = data[:end].split(b"\r\n")
    parts = lines[0].decode("latin-1").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadHead("not an HTTP/1.1 request")
    method, target, _ = parts
    fields = dict(_field(line) for line in lines[1:])
    host, port = authority(target) if method == "CONNECT" else ("", 0)
    head = ProxyHead(
        method=method,
        target=target,
        host=host,
        port=port,
        host_field=fields.get("host", ""),
        origin_field=fields.get("origin", ""),
    )
    return head, data[end + 4 :]


def authority(target: str) -> tuple[str, int]:
    """Host (lower case, without brackets and trailing dot) and port of `host:port`. Raises BadHead."""
    host, _, port = target.rpartition(":")
    host = host.strip("[]").lower().rstrip(".")
    digits = port.isascii() and port.isdigit() and len(port) < 6
    if not host or not digits or not 0 < int(port) < 65536:
        raise BadHead("CONNECT needs host:port")
    return host, int(port)


def _field(line: bytes) -> tuple[str, str]:
    name, _, value = line.decode("latin-1").partition(":")
    return name.strip().lower(), value.strip()

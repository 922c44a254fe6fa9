"""One connection through the agent's proxy, driven by hand: CONNECT, TLS with any name, HTTP/1.1 byte by byte.

The standard library parses the answers, so that the agent is judged by somebody else's reading of HTTP.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import Path
from typing import Self

from cryptography import x509

SECONDS = 15.0

type Fields = Iterable[tuple[str, str]]


class NoTunnel(Exception):
    """The proxy refused CONNECT."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{status} {body.decode(errors='replace')}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. `whole` is False where the connection ended before it did; `body` then holds what had come.

    A connection that ended without an answer is one with status 0.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = True

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def document(self) -> dict[str, object]:
        """The body, a JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


NOTHING = Answer(status=0, whole=False)


def tunnel(proxy_port: int, host: str, port: int = 443) -> socket.socket:
    """A connection on which CONNECT was answered with 200. Raises NoTunnel."""
    sock = socket.create_connection(("127.0.0.1", proxy_port), SECONDS)
    try:
        sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # byte by byte: what follows belongs to the tunnel
            byte = sock.recv(1)
            if not byte:
                raise NoTunnel(0, head)
            head += byte
        status = int(head.split(b" ", 2)[1])
        if status != 200:
            raise NoTunnel(status, sock.recv(4096))
    except BaseException:
        sock.close()
        raise
    return sock


def trusting(*roots: Path, alpn: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    """A client context that trusts these roots only."""
    context = ssl.create_default_context(cadata="".join(root.read_text() for root in roots))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


class Line:
    """An HTTP/1.1 connection, over TLS or plain."""

    def __init__(self, sock: socket.socket, *, host: str) -> None:
        """`host` is what requests name as their `Host`, unless they say otherwise."""
        self.sock = sock
        self.host = host
        self._reading: HTTPResponse | None = None

    @classmethod
    def secured(cls, sock: socket.socket, context: ssl.SSLContext, server_name: str | None) -> Self:
        """TLS on `sock`; no server name is sent, and none checked, where it is None."""
        if server_name is None:
            context.check_hostname = False
        try:
            return cls(context.wrap_socket(sock, server_hostname=server_name), host=server_name or "")
        except BaseException:
            sock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.close()  # it holds the socket
        self.sock.close()

    @property
    def certificate(self) -> x509.Certificate:
        """The server's."""
        assert isinstance(self.sock, ssl.SSLSocket)
        der = self.sock.getpeercert(binary_form=True)
        assert der is not None
        return x509.load_der_x509_certificate(der)

    def send(self, data: bytes) -> None:
        """Write bytes."""
        self.sock.sendall(data)

    def request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        host: str | None = None,
        fields: Fields = (),
    ) -> None:
        """Write one request, with its length where it has a body."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host if host is None else host}"]
        lines += [f"{name}: {value}" for name, value in fields]
        lines += [f"Content-Length: {len(body)}"] if body is not None else []
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))

    def begin(self, method: str = "POST") -> HTTPResponse:
        """The next answer's head; its body is the caller's to read."""
        response = self._reading = HTTPResponse(self.sock, method=method)
        response.begin()
        return response

    def answer(self, method: str = "POST") -> Answer:
        """The next answer."""
        try:
            response = self.begin(method)
        except (HTTPException, OSError):
            return NOTHING
        whole = True
        try:
            body = response.read()
        except IncompleteRead as error:
            body, whole = error.partial, False
        except OSError:
            body, whole = b"", False
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, body=body, whole=whole)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        host: str | None = None,
        fields: Fields = (("Content-Type", "application/json"),),
    ) -> Answer:
        """Write one request, read its answer."""
        self.request(method, target, body, host=host, fields=fields)
        return self.answer(method)

    def ended(self, seconds: float = 5.0) -> bool:
        """Whether the other side closes the connection within that time, without a further byte."""
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

"""Reads one answer of an HTTP/1.1 server from bytes, however they are cut. No socket: it hears `feed` and `eof`.

llhttp (in httptools) does the reading and stays strict; what it leaves to its caller is added here: answers to HEAD,
bodies that end with the connection, limits, and distrust of whatever could hide a second answer (RFC 9112 11.2).
"""

from __future__ import annotations

from collections import deque

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from agent.gateway.transport.base import FailureKind, Headers, TransportError

PIECE_COST = 64
"""What a held piece costs besides its bytes: a server that sends one-byte chunks must not exhaust memory unseen."""

_REASON = (
    bytes(range(0x20, 0x7F)) + b"\t" + bytes(range(0x80, 0x100))
)  # RFC 9112 4: the rest is not a reason phrase
_BODYLESS = frozenset({204, 304})
_FIRST_BYTE = ord("H")  # llhttp would also skip line ends here, and take RTSP and ICE for HTTP


class _Violation(Exception):
    """Raised in a callback to stop llhttp; its text is shown."""


class ResponseParser:
    """One answer in the making.

    `feed` and `eof` never raise for what the server sends: they set `failure` when the answer can no longer be
    completed. Pieces of the body collect in `pieces` and stay readable after a failure.
    """

    __slots__ = (
        "_closes",
        "_fields",
        "_interim",
        "_llhttp",
        "_max_head",
        "_max_headers",
        "_method",
        "_peer",
        "_quiet",
        "_size",
        "_until_close",
        "complete",
        "failure",
        "head_done",
        "headers",
        "held",
        "http_version",
        "pieces",
        "reason",
        "reusable",
        "status",
        "touched",
        "trailers",
    )

    def __init__(self, *, method: bytes, peer: str, max_head: int, max_headers: int) -> None:
        """`method` is the request's, `peer` names the server in messages; limits as in `TransportConfig`."""
        self._method = method
        self._peer = peer
        self._max_head = max_head
        self._max_headers = max_headers
        self._fields: list[tuple[bytes, bytes]] = []
        self._interim = False
        self._closes = False  # the server says that it will close
        self._until_close = False
        self._quiet = 0  # bytes since the last progress a consumer can see
        self._size = 0  # bytes of fields
        self.status = 0
        self.reason = b""
        self.http_version = ""
        self.headers: Headers = ()
        self.trailers: Headers = ()
        self.head_done = False  # the final head has been read
        self.complete = False  # the whole answer has been read
        self.reusable = False  # complete, and the connection may carry another exchange
        self.touched = False  # at least one byte has come
        self.failure: Exception | None = None  # why the answer will never be complete
        self.pieces: deque[bytes] = deque()
        self.held = 0  # bytes in `pieces`, with their cost
        self._llhttp: HttpResponseParser | None = HttpResponseParser(self)

    def feed(self, data: bytes | memoryview) -> None:
        """Read `data` (not empty), the next bytes from the server."""
        llhttp = self._llhttp
        if llhttp is None:  # complete or failed: whatever comes now is not ours
            self.reusable = False
            return
        held = self.held
        try:
            if not self.touched:
                self.touched = True
                if data[0] != _FIRST_BYTE:
                    raise _Violation("not an HTTP answer")
            llhttp.feed_data(data)
            if self.held != held or self.complete:
                self._quiet = 0
            else:
                self._quiet += len(data)
                if self._quiet > self._max_head:
                    raise _Violation(f"{'trailer' if self.head_done else 'head'} over {self._max_head} bytes")
        except (HttpParserError, HttpParserUpgrade, _Violation) as error:
            self._refuse(error)
        if self.complete or self.failure is not None:
            self._llhttp = None  # it refers to our methods: without this every answer is a cycle

    def eof(self) -> None:
        """The server has closed its side."""
        self._llhttp = None
        self.reusable = False
        if self.head_done and self._until_close:
            self.complete = True
        elif not self.touched:
            self.fail(FailureKind.CLOSED, f"{self._peer} closed the connection without an answer")
        else:
            self.fail(FailureKind.CLOSED, f"{self._peer} closed the connection in the middle of its answer")

    def fail(self, kind: FailureKind, message: str, *, hint: str = "") -> None:
        """Say that the answer will not be completed, unless it is or has failed already."""
        if not self.complete and self.failure is None:
            self.failure = TransportError(kind, message, sent=True, hint=hint)

    def take(self) -> bytes:
        """Remove and return the oldest piece. There must be one."""
        piece = self.pieces.popleft()
        self.held -= len(piece) + PIECE_COST
        return piece

    def _refuse(self, error: Exception) -> None:
        self.reusable = False
        if self.complete:  # surplus bytes: the answer stands, the connection does not
            return
        if isinstance(error, HttpParserUpgrade):
            text = "a switch of protocol that was not asked for"
        elif isinstance(error, HttpParserCallbackError) and isinstance(error.__context__, _Violation):
            text = str(error.__context__)
        else:
            text = str(error)  # llhttp's reasons are fixed texts and quote nothing
        self.fail(
            FailureKind.PROTOCOL,
            f"{self._peer} sent an answer that is not valid HTTP/1.1: {text}",
            hint="The server, or a proxy before it, is at fault.",
        )

    # What llhttp calls while it reads.

    def on_message_begin(self) -> None:
        """An answer begins: the first, or the one after an interim one."""
        if self.complete:
            raise _Violation("bytes after the answer")

    def on_status(self, part: bytes) -> None:
        """A part of the reason phrase."""
        self.reason += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailer once the head is done."""
        self._size += len(name) + len(value) + 4
        if self._size > self._max_head:
            raise _Violation(f"fields over {self._max_head} bytes")
        if len(self._fields) >= self._max_headers:
            raise _Violation(f"more than {self._max_headers} fields")
        trimmed = value.rstrip(b" \t")  # llhttp trims the left only
        if trimmed is not value and b"\t" in value[len(trimmed) :] and name.lower() == b"transfer-encoding":
            # llhttp does not see `chunked` before a tab and would read until the end; others do see it
            raise _Violation("white space that hides a transfer coding")
        self._fields.append((name.lower(), trimmed))

    def on_headers_complete(self) -> None:
        """The head, interim or final, has been read."""
        assert self._llhttp is not None
        self.status = self._llhttp.get_status_code()
        self.http_version = self._llhttp.get_http_version()
        if self.status < 100 or self.http_version not in ("1.1", "1.0"):
            raise _Violation("impossible status line")
        if self.reason and self.reason.translate(None, _REASON):
            raise _Violation("control bytes in the reason phrase")
        if self.status < 200:
            self._interim = True
            return
        self.headers = tuple(self._fields)
        self._fields = []
        self._size = 0
        framed = self._read_framing()
        self.head_done = True
        if self._method == b"HEAD":
            self._finish()
        else:
            self._until_close = not (framed or self.status in _BODYLESS)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.complete or self._interim:
            raise _Violation("a body where there cannot be one")
        self.pieces.append(data)
        self.held += len(data) + PIECE_COST

    def on_message_complete(self) -> None:
        """The answer, or an interim one, has been read."""
        if self._interim:
            self._interim = False
            self._fields = []
            self.reason = b""
        elif not self.complete:
            self.trailers = tuple(self._fields)
            self._finish()

    def _read_framing(self) -> bool:
        """Note what the head says about the connection; whether it says where the body ends.

        llhttp has refused a length beside a transfer coding, and more than one length.
        """
        codings: list[bytes] = []
        framed = False
        for name, value in self.headers:
            if name == b"content-length":
                framed = True
            elif name == b"transfer-encoding":
                codings.append(value.lower())
            elif name == b"connection" and b"close" in value.lower().replace(b" ", b"").split(b","):
                self._closes = True
        if codings and codings != [b"chunked"]:
            raise _Violation("a transfer coding other than chunked")
        return framed or bool(codings)

    def _finish(self) -> None:
        self.complete = True
        # Keep-alive in HTTP/1.0 was an afterthought, and Transfer-Encoding there is a fault (RFC 9112 6.1).
        self.reusable = not self._closes and self.http_version == "1.1"

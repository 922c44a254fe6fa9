"""One HTTP/1.1 connection: one exchange at a time, written and read under back-pressure and deadlines.

It does not choose which request it gets and opens nothing: the pool and the dialer do. It never keeps a connection
whose state is in doubt; an exchange that does not end cleanly ends the connection with it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Protocol, cast

from agent.gateway.transport.base import FailureKind, TransportConfig
from agent.gateway.transport.response_parser import ResponseParser
from agent.host.tasks import TaskGroup

type Pieces = AsyncGenerator[bytes | memoryview]

_READ_SIZE = 64 * 1024
_REFUSED = 300
"""From this status on an early answer means that the rest of the request is not wanted (RFC 9112 9.5)."""


class Keeper(Protocol):
    """Who is told when a connection becomes free or is gone: the pool."""

    def released(self, connection: Connection) -> None:
        """The exchange is over and the connection may carry another one."""
        ...

    def lost(self, connection: Connection) -> None:
        """The connection is gone. Told once."""
        ...


class Connection(asyncio.BufferedProtocol):
    """The protocol of one upstream connection. `begin` starts an exchange; the parser it returns tells how it goes."""

    def __init__(self, *, peer: str, config: TransportConfig, keeper: Keeper, tasks: TaskGroup) -> None:
        """`peer` names the server in messages; `tasks` owns the uploads."""
        self.peer = peer
        self.exchanges = 0
        self.lost = False
        self._config = config
        self._keeper = keeper
        self._tasks = tasks
        self._loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._parser: ResponseParser | None = None  # of the exchange under way
        self._reader: asyncio.Future[None] | None = None  # waits for the parser to get on
        self._writer: asyncio.Future[None] | None = None  # waits for the socket to take more
        self._upload: asyncio.Task[object] | None = None
        self._uploading = False  # told apart from the task: an eager one may end before it can be stored
        self._reading_paused = False
        self._writing_paused = False
        self._gone = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._idle_since = 0.0
        self._idle_wall = 0.0

    # What the pool asks.

    def is_fresh(self, now: float, wall: float) -> bool:
        """Whether an idle connection may be used again, by what is known without asking the network.

        `now` is the loop's time, `wall` the wall clock's: that one sees what the other sleeps through, a closed lid.
        """
        if self._gone or self._transport.is_closing():
            return False
        limit = self._config.idle_timeout
        return now - self._idle_since < limit and -1.0 < wall - self._idle_wall < limit

    def close(self) -> None:
        """End an idle connection in order."""
        self._gone = True
        self._transport.close()

    def abort(self, parser: ResponseParser | None = None) -> None:
        """End the connection at once; with `parser`, only if that exchange is still under way."""
        if (parser is None or parser is self._parser) and not self.lost:
            self._gone = True
            self._transport.abort()

    def forget(self, parser: ResponseParser) -> None:
        """Nobody holds the answer any more: end its exchange. May be called by the garbage collector, in any thread."""
        with suppress(RuntimeError):  # the loop is closed, and every connection with it
            self._loop.call_soon_threadsafe(self.abort, parser)

    # One exchange.

    def begin(self, method: bytes) -> ResponseParser:
        """Start an exchange on an idle connection."""
        config = self._config
        self.exchanges += 1
        self._parser = parser = ResponseParser(
            method=method, peer=self.peer, max_head=config.max_head, max_headers=config.max_headers
        )
        self._extend(config.head_timeout)
        return parser

    def write(self, data: bytes | memoryview) -> None:
        """Hand `data` to the socket. For requests small enough to need no back-pressure."""
        self._transport.write(data)

    def upload(self, head: bytes, pieces: Pieces, *, chunked: bool) -> None:
        """Send `head` and then `pieces`, framed if `chunked`, in the background.

        It stops when an answer makes the rest pointless. An exception out of `pieces` becomes the exchange's failure.
        """
        parser = self._parser
        assert parser is not None
        self._transport.write(head)
        self._uploading = True
        self._upload = self._tasks.spawn(self._send_body(parser, pieces, chunked=chunked), name="upload")

    async def progress(self, parser: ResponseParser) -> None:
        """Wait until `parser` knows more than now. Cancelled, it ends the connection."""
        if self._reader is not None:
            raise RuntimeError("one answer cannot be read by two tasks")
        self._reader = reader = self._loop.create_future()
        try:
            await reader
        except BaseException:
            self.abort(parser)
            raise
        finally:
            if self._reader is reader:  # else the connection may serve, and wait for, another exchange by now
                self._reader = None

    def consumed(self, parser: ResponseParser) -> None:
        """A piece was taken from `parser`: read on if it had been too full."""
        if self._reading_paused and parser is self._parser and parser.held <= self._config.read_buffer // 2:
            self._resume()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected, TLS is done."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go; they are parsed before the next read."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have come."""
        parser = self._parser
        if parser is None:  # nothing was asked: a stray byte now would be the next answer's first
            self.abort()
            return
        parser.feed(self._buffer[:nbytes])
        if parser.head_done:
            self._extend(self._config.read_timeout)
            if parser.status >= _REFUSED:
                self._stop_upload()
        if parser.complete or parser.failure is not None:
            self._end(parser)
        elif parser.held >= self._config.read_buffer and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The server has closed its side; asyncio closes ours next."""
        self._gone = True
        if (parser := self._parser) is not None:
            parser.eof()
            self._end(parser)
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._gone = self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (parser := self._parser) is not None:
            kind = FailureKind.TLS if isinstance(exc, ssl.SSLError) else FailureKind.CLOSED
            parser.fail(kind, f"the connection to {self.peer} was lost")
            self._end(parser)
        self._writing_paused = False
        self._wake()
        self._keeper.lost(self)

    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._writing_paused = True
        if self._uploading:
            self._extend(self._config.write_timeout)

    def resume_writing(self) -> None:
        """The socket takes bytes again."""
        self._writing_paused = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # Inside.

    def _end(self, parser: ResponseParser) -> None:
        """The exchange is over, well or not: free the connection or end it."""
        self._parser = None
        unsent = self._uploading or self._transport.get_write_buffer_size() > 0
        self._stop_upload()
        if self._gone:
            return
        if unsent or not parser.reusable:
            self.abort()
            return
        if self._reading_paused:
            self._resume()
        self._idle_since = self._loop.time()
        self._idle_wall = time.time()
        self._keeper.released(self)

    def _stop_upload(self) -> None:
        if self._uploading and self._upload is not None and not self._upload.cancelling():
            self._upload.cancel()

    def _wake(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and not reader.done():
            reader.set_result(None)
        if self._gone and self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _resume(self) -> None:
        self._reading_paused = False
        if not self._transport.is_closing():
            self._extend(self._config.read_timeout)
            self._transport.resume_reading()

    async def _send_body(self, parser: ResponseParser, pieces: Pieces, *, chunked: bool) -> None:
        try:
            await self._send_pieces(pieces, chunked=chunked)
        except Exception as error:
            if not parser.complete and parser.failure is None:
                parser.failure = error
            self._uploading = False
            self.abort(parser)
            self._wake()
        else:
            self._uploading = False
            if parser is self._parser and not parser.head_done:
                self._extend(self._config.head_timeout)
        finally:
            await pieces.aclose()

    async def _send_pieces(self, pieces: Pieces, *, chunked: bool) -> None:
        async for piece in pieces:
            # Let the loop read first: a write into a connection that the server has refused and reset would lose
            # the refusal that lies in the receive buffer.
            await asyncio.sleep(0)
            if self._gone:
                return
            self._transport.write(b"".join((b"%x\r\n" % len(piece), piece, b"\r\n")) if chunked else piece)
            while self._writing_paused and not self._gone:
                self._writer = self._loop.create_future()
                await self._writer
        if chunked and not self._gone:
            self._transport.write(b"0\r\n\r\n")

    def _extend(self, seconds: float) -> None:
        """Give the exchange `seconds` from now. The timer is moved only when it fires: chunks are many, stalls few."""
        self._deadline = deadline = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(deadline, self._check_deadline)
        elif timer.when() > deadline:
            timer.cancel()
            self._timer = self._loop.call_at(deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        parser = self._parser
        if parser is None:
            return
        uploading = self._uploading
        # Waiting for our own consumer, or for the caller's next piece to send, is not the server's silence.
        ours = self._reading_paused or (uploading and not self._writing_paused)
        if ours or self._loop.time() < self._deadline:
            self._extend(max(self._deadline - self._loop.time(), self._config.read_timeout if ours else 0.0))
            return
        if parser.head_done:
            what = "stopped in the middle of its answer"
        else:
            what = "stopped taking the request" if uploading else "did not answer in time"
        parser.fail(FailureKind.TIMEOUT, f"{self.peer} {what}")
        self._end(parser)
        self._wake()

"""One turn of a WebSocket: what the client says, or nothing where the service begins by itself, and the answer to it.

To an exchange a turn is a lane (`ports.Lane`) and its answer a streamed response: each message a chunk, which is one
event. What belongs to which turn is the connection's to know.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.framing import Framing
from agent.dialects.sockets import Heard, SocketDialect, SocketSession
from agent.dialects.sse import SseEvent, new_event
from agent.errors import ContentError, UpstreamError
from agent.gateway.routing import Route
from agent.gateway.sockets.frames import Kind, Message, frame
from agent.gateway.transport.base import Headers
from agent.model.content import Edit, Usage
from agent.model.conversation import TokenCount

CONTEXT = "context"
"""The operation of what is said to a model without asking it."""

MAX_QUEUED = 256 * 1024
"""Bytes of an answer that wait to be inspected before the service is no longer read."""

_STREAM = b"application/x-websocket-messages"


class Line(Protocol):
    """What a turn may do on its connection."""

    @property
    def conversation(self) -> str:
        """Names the connection."""
        ...

    def admit(self, route: Route) -> Route:
        """See `Lane`."""
        ...

    async def forward(self, turn: Turn, raw: bytes) -> None:
        """Send a client's message to the service; `turn` is open from now on. Raises UpstreamError."""
        ...

    def mask(self) -> bytes:
        """A new mask for a message of ours to the service."""
        ...


@dataclass(frozen=True, slots=True)
class _Piece:
    message: Message
    view: EventView


class Turn:
    """Implements `Lane`. `message` is the client's, None where the service began; `heard` is what it means. `answered`
    tells whether an answer is expected. `name` is the service's own of the answer, empty while it is not known."""

    def __init__(
        self,
        line: Line,
        socket: SocketDialect,
        session: SocketSession,
        *,
        message: Message | None = None,
        heard: Heard | None = None,
        answered: bool = True,
        operation: str = "",
        name: str = "",
    ) -> None:
        self._line = line
        self._socket = socket
        self._session = session
        self.message = message
        self.heard = heard or Heard()
        self.answered = answered
        self.operation = operation
        self.name = name
        self.answer = TurnAnswer()
        self.task: asyncio.Task[None] | None = None  # that carries its exchange
        self.forwarded = False
        self._stopped = False
        self.sent = asyncio.Event()  # the message has gone out, or never will
        self.ended = asyncio.Event()  # its exchange is closed

    @property
    def conversation(self) -> str:
        """See `Lane`."""
        return self._line.conversation

    def admit(self, route: Route) -> Route:
        """See `Lane`."""
        return self._line.admit(route)

    @property
    def dialect(self) -> TurnDialect:
        """See `Lane`. Not kept: each would keep the other, and the connection with its TLS."""
        return TurnDialect(self._socket, self._session, self)

    @property
    def body(self) -> bytes:
        """What is to be judged: nothing where the turn rests on what was said before."""
        if self.message is None:
            return b""
        request = self.heard.request
        bare = self.heard.asks and not request.slots and not request.attachments
        return b"" if bare else self.message.data

    async def send(self, body: bytes | None) -> TurnAnswer:
        """See `Lane`."""
        message, self.message = self.message, None  # not kept while the answer runs
        if message is not None:
            raw = message.raw
            if body is not None:
                raw = frame(message.kind, body, mask=self._line.mask())
            self._session.forwarded(self.heard)
            self.forwarded = True
            await self._line.forward(self, raw)
        if not self.answered:
            self.answer.end()
        self.sent.set()
        return self.answer

    @property
    def at_its_end(self) -> bool:
        """Whether what goes out now is the last of the answer: the client may not see it before the record is kept."""
        piece = self.answer.current
        return self._stopped or (piece is not None and piece.view.final)

    def stopping(self, message: str) -> tuple[bytes, ...]:
        """The messages that end its answer in place of the service's."""
        self._stopped = True
        return self._session.stop(message, self.name)

    def close(self) -> None:
        """Its exchange is over: nothing more goes to it."""
        self.answer.stop()
        self.sent.set()
        self.ended.set()


class TurnAnswer:
    """Implements `UpstreamResponse`: the messages of one answer, as they come. `stopped` tells that nobody reads it any
    more; what still comes is nobody's."""

    status = 101
    reason = b""
    headers: Headers = ((b"content-type", _STREAM),)
    http_version = "1.1"
    trailers: Headers = ()

    def __init__(self) -> None:
        self._queue: deque[_Piece] = deque()
        self._size = 0
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._ending: UpstreamError | None = None
        self._over = False
        self.current: _Piece | None = None  # the one that was handed out last
        self.stopped = False

    @property
    def failed(self) -> bool:
        """Whether the service broke it off."""
        return self._ending is not None

    @property
    def awaited(self) -> bool:
        """Whether more of it is expected, and wanted."""
        return not (self._over or self.stopped)

    async def feed(self, message: Message, view: EventView) -> None:
        """The next message; waits while earlier ones are not read."""
        while self._size > MAX_QUEUED and not self.stopped:
            self._room.clear()
            await self._room.wait()
        if not self.stopped:
            self._queue.append(_Piece(message, view))
            self._size += len(message.raw)
            self._more.set()

    def end(self, error: UpstreamError | None = None) -> None:
        """Nothing more will come: in order, or because of `error`."""
        self._over, self._ending = True, error
        self._more.set()

    def stop(self) -> None:
        """Nobody reads on."""
        self.stopped = True
        self._queue.clear()
        self._size = 0
        self._room.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """See `UpstreamResponse`."""
        while True:
            while self._queue:
                self.current = self._queue.popleft()
                self._size -= len(self.current.message.raw)
                self._room.set()
                yield self.current.message.raw
            if self._ending is not None:
                raise self._ending
            if self._over:
                return
            self._more.clear()
            await self._more.wait()

    def chunks(self) -> AsyncIterator[bytes]:
        """See `UpstreamResponse`."""
        return self.__aiter__()

    async def aclose(self) -> None:
        """See `UpstreamResponse`."""
        self.stop()


class TurnDialect:
    """Implements `Dialect` for one turn: a format of messages, as exchanges see formats."""

    stream_type = _STREAM

    def __init__(self, socket: SocketDialect, session: SocketSession, turn: Turn) -> None:
        self._socket = socket
        self._session = session
        self._turn = turn

    @property
    def name(self) -> str:
        """See `Dialect`."""
        return self._socket.name

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """See `RequestFormat`."""
        return self._session.parse_request(head, body) if body else self._session.begun(self._turn.name)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """See `RequestFormat`."""
        return self._session.edit_request(body, edits)

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Answers come in messages, never as a whole."""
        raise ContentError("a WebSocket has no whole answers")

    def edit_answer(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """See `Dialect`; there are none to edit."""
        del edits
        return body

    def count(self, usage: Usage) -> TokenCount:
        """See `Dialect`."""
        return self._socket.count(usage)

    def framing(self) -> Framing:
        """See `Dialect`."""
        return _TurnFraming(self._turn.answer)

    @property
    def reads_query(self) -> bool:
        """See `Dialect`."""
        return False

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """See `Dialect`."""
        del request
        return self.framing if kind == self.stream_type else None

    def stream_reader(self, request: ParsedRequest) -> _TurnReader:
        """See `Dialect`."""
        del request
        return _TurnReader(self._turn)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """See `Dialect`."""
        return self._session.edit_event(data, edits)

    def block(self, message: str) -> Block:
        """Messages to the client that say no."""
        return _block(400, self._session.refusal(message))

    def error(self, status: int, message: str) -> Block:
        """Messages to the client that say what went wrong."""
        return _block(status, self._session.failure(status, message))


class _TurnFraming:
    """A chunk of a turn's answer is one message, which was read before it was handed out."""

    comments = False

    def __init__(self, answer: TurnAnswer) -> None:
        self._answer = answer

    def feed(self, data: bytes) -> list[SseEvent]:
        """See `Framing`."""
        piece = self._answer.current
        assert piece is not None
        return [new_event(data, piece.message.kind.name, piece.message.data)]

    def finish(self) -> list[SseEvent]:
        """See `Framing`."""
        return []

    def encode(self, event: str, data: bytes) -> bytes:
        """See `Framing`. The name of an event is the kind of its message."""
        return frame(Kind[event] if event else Kind.TEXT, data)

    def rewritten(self, event: SseEvent, data: bytes) -> bytes:
        """See `Framing`."""
        return self.encode(event.event, data)

    def ending(self, worded: bytes, *, begun: bool) -> bytes:
        """See `Framing`."""
        del begun
        return worded


class _TurnReader:
    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    def read(self, event: str, data: bytes) -> EventView:
        """What the message means was found out when it came."""
        del event, data
        piece = self._turn.answer.current
        assert piece is not None
        return piece.view

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """See `StreamReader`."""
        del in_step
        return b"".join(frame(Kind.TEXT, each) for each in self._turn.stopping(message))


def _block(status: int, messages: tuple[bytes, ...]) -> Block:
    return Block(status=status, headers=(), body=b"".join(frame(Kind.TEXT, each) for each in messages))

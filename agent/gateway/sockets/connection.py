"""One WebSocket where models are asked: two directions, and the turns in between.

Each client's message that says something to a model is an exchange of its own (`exchange.py`), judged before a byte
of it goes on. The service's messages go to the turn that they answer, whose exchange inspects them as it does any
streamed answer; what holds nothing to judge passes. Control frames pass at once. Nothing is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from agent.dialects.sockets import Heard, Said, SocketDialect, SocketSession
from agent.errors import ContentError, UpstreamError
from agent.gateway.routing import Refused, Route
from agent.gateway.sockets.client_end import ClientEnd
from agent.gateway.sockets.frames import Broken, CloseCode, Kind, Message, MessageReader, close
from agent.gateway.sockets.open_turns import OpenTurns
from agent.gateway.sockets.plainness import Plainness
from agent.gateway.sockets.surroundings import Surroundings
from agent.gateway.sockets.turns import CONTEXT, Turn
from agent.gateway.transport.base import Tunnel
from agent.gateway.wire import ClientGone, ClientRequest, Wire
from agent.gateway.wire import Message as AsgiMessage
from agent.host.tasks import TaskGroup

log = logging.getLogger(__name__)

MAX_TURNS = 32
"""Answers that may run at once on one connection."""

CLOSING = 5.0
"""Seconds for the service to answer a client's close frame, and for a client to take the last bytes."""

SWALLOWING = 60.0
"""Seconds for which a client that asks again waits for the end of an answer that was stopped."""

_READ = 64 * 1024
_MASK = 4
_TOO_MUCH = Broken(CloseCode.TRY_AGAIN_LATER, "too much is under way at once")


class _End(Exception):
    """The connection is over. `broken` says why, None where both sides know."""

    def __init__(self, broken: Broken | None = None) -> None:
        super().__init__()
        self.broken = broken


class SocketConnection:
    """Carries one connection from its agreement to its end. Implements `turns.Line`."""

    def __init__(
        self,
        around: Surroundings,
        request: ClientRequest,
        route: Route,
        socket: SocketDialect,
        session: SocketSession,
        *,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: Tunnel,
    ) -> None:
        """`request` is the client's request to upgrade, its keys still in it; `route` the way that is open."""
        self._around = around
        self._request = request
        self._route = route
        self._socket = socket
        self._session = session
        self._reader = reader
        self._client = ClientEnd(writer)
        self._upstream = upstream
        self._tasks = TaskGroup("socket")
        self._turns = OpenTurns()
        self._plainness = Plainness(around.policy)
        self._held = 0
        self._leaving = False
        self._outdated = False
        self._freed = asyncio.Event()  # an answer has ended
        self._closing = False  # the client has said that it leaves
        self._ending: asyncio.Future[_End] = asyncio.get_running_loop().create_future()

    @property
    def conversation(self) -> str:
        """See `Lane`."""
        return f"socket/{self._request.connection.id}"

    @property
    def turns(self) -> int:
        """How many answers run."""
        return len(self._turns)

    async def run(self, first: bytes) -> None:
        """Carry the connection until one side ends it. `first` is what the service has said already."""
        self._tasks.spawn(self._direction(self._upwards), name="upwards")
        self._tasks.spawn(self._direction(partial(self._downwards, first)), name="downwards")
        try:
            end = await self._ending
            if end.broken is not None:
                await self._say_why(end.broken)
        finally:
            await self._tasks.cancel()
            self._around.room.moved(self._held, 0)
            await self._upstream.aclose()
            await self._client.hang_up(CLOSING)

    def go_away(self) -> None:
        """Close the connection as soon as no answer runs."""
        self._leaving = True
        if not self._turns:
            self._end(Broken(CloseCode.GOING_AWAY, "Drawbridge is stopping"))

    # turns.Line

    def admit(self, route: Route) -> Route:
        """See `Lane`."""
        for way in (route, route.instead):
            if way is not None and self._is_open(way):
                return way
        self._outdated = True
        raise Refused(503, "the policy has changed meanwhile: connect again")

    async def forward(self, turn: Turn, raw: bytes) -> None:
        """See `turns.Line`."""
        if turn.answered:
            self._turns.add(turn)
        await self._upstream.write(raw)

    def mask(self) -> bytes:
        """See `turns.Line`."""
        return os.urandom(_MASK)

    # From the client

    async def _upwards(self) -> None:
        frames = MessageReader(masked=True)
        while data := await self._reader.read(_READ):
            for message in frames.feed(data):
                if message.kind.controls:
                    await self._control(message)
                else:
                    await self._hear(message)
            self._account_for(frames)
        raise _End

    async def _control(self, message: Message) -> None:
        if message.kind is Kind.CLOSE:
            self._closing = True
            await self._abandon()
            await self._upstream.write(message.raw)
            await asyncio.sleep(CLOSING)  # ended before by the service's own close
            raise _End
        await self._upstream.write(message.raw)

    async def _hear(self, message: Message) -> None:
        session = self._session
        try:
            heard = await self._around.scans.run(len(message.data), session.hear, message.data)
        except ContentError:  # judged as what it is: unknown
            await self._ask(message, Heard(), answered=False)
            return
        request = heard.request
        if heard.asks:
            await self._swallowed()
            # one that is asked before the answer to the last has begun is part of the same question
            await self._ask(message, heard, answered=not self._turns.awaited)
        elif request.slots and (heard.known or not self._plainness.texts(request.slots, hidden=True)):
            await self._ask(message, heard, answered=False)
        elif request.attachments:
            await self._attach(message, heard)
        else:
            await self._upstream.write(message.raw)

    async def _swallowed(self) -> None:
        """Wait until an answer that was stopped, and has no name to tell it by, has come to its end."""
        try:
            async with asyncio.timeout(SWALLOWING):
                while self._turns.swallowing:
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise _End(Broken(CloseCode.SERVICE_RESTART, "a stopped answer has no end")) from None

    async def _attach(self, message: Message, heard: Heard) -> None:
        """Something that is no text: the first of its kind is judged, the others have the same verdict while the policy
        is the same."""
        files = heard.request.attachments
        passes = self._plainness.files(files)
        if passes is None:
            turn = await self._ask(message, heard, answered=False)
            self._plainness.judged(files, passes=turn.forwarded)
        elif passes:
            self._session.forwarded(heard)
            await self._upstream.write(message.raw)

    async def _ask(self, message: Message, heard: Heard, *, answered: bool) -> Turn:
        turn = Turn(
            self,
            self._socket,
            self._session,
            message=message,
            heard=heard,
            answered=answered,
            operation="" if answered else CONTEXT,
        )
        size = len(message.raw) + len(message.data)
        if not self._around.room.moved(0, size):
            self._around.room.moved(size, 0)
            raise _End(_TOO_MUCH)
        try:
            self._begin(turn)
            await (turn.sent if answered else turn.ended).wait()
        finally:
            self._around.room.moved(size, 0)
        if self._outdated:
            raise _End(Broken(CloseCode.SERVICE_RESTART, "the policy has changed"))
        return turn

    # From the service

    async def _downwards(self, first: bytes) -> None:
        frames = MessageReader(masked=False)
        data = first
        try:
            while data or (data := await self._upstream.read()):
                for message in frames.feed(data):
                    await self._say(message)
                self._account_for(frames)
                data = b""
        except UpstreamError as error:
            await self._break_off(error)
        else:
            await self._break_off(UpstreamError("the provider ended the WebSocket in the middle of it"))
        raise _End  # without a close frame, as the service did

    async def _say(self, message: Message) -> None:
        if message.kind is Kind.CLOSE:
            await self._break_off(UpstreamError("the provider closed the WebSocket before its answer ended"))
            await self._client.write(message.raw)
            raise _End
        if message.kind.controls:
            await self._client.write(message.raw)
            return
        if self._closing:
            return  # to a client that has taken its leave
        said = self._session.listen(message.data)
        turn = self._turns.of(said)
        if turn is None and not self._plainness.said(said):
            turn = self._unasked(said)
        if turn is None:
            await self._client.write(message.raw)
        else:
            await turn.answer.feed(message, said.view)
            if said.view.final or turn.operation == CONTEXT:
                await self._finish(turn)
        for name in said.ends:
            if (other := self._turns.named(name)) is not None:
                await self._finish(other)

    def _unasked(self, said: Said) -> Turn:
        """A turn that the service has begun by itself, or that is one message which belongs to none."""
        if len(self._turns) >= MAX_TURNS:
            raise _End(Broken(CloseCode.TRY_AGAIN_LATER, "too many answers at once"))
        alone = said.apart or not said.readable
        turn = Turn(
            self,
            self._socket,
            self._session,
            operation=CONTEXT if alone else said.operation,
            name=said.turn,
        )
        self._turns.add(turn)
        self._begin(turn)
        return turn

    async def _finish(self, turn: Turn) -> None:
        """Its last message was fed: what comes after it waits until it is closed."""
        turn.answer.end()
        await turn.ended.wait()
        self._turns.remove(turn)
        self._freed.set()
        if self._leaving and not self._turns:
            raise _End(Broken(CloseCode.GOING_AWAY, "Drawbridge is stopping"))

    def _is_open(self, way: Route) -> bool:
        ours = self._route
        return (
            way.endpoint is not None
            and way.endpoint.socket == self._socket.name
            and (way.target, way.upstream, way.path) == (ours.target, ours.upstream, ours.path)
        )

    # Turns

    def _begin(self, turn: Turn) -> None:
        turn.task = self._tasks.spawn(self._exchange(turn), name="turn")
        turn.task.add_done_callback(lambda _: turn.close())  # also where it was cancelled before it began

    async def _exchange(self, turn: Turn) -> None:
        body = turn.body
        last = bytearray()  # goes out when the exchange is recorded

        async def receive() -> AsgiMessage:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: AsgiMessage) -> None:
            data = message.get("body", b"")
            if last or turn.at_its_end:
                last.extend(data)
                if message.get("more_body"):
                    return
                data = bytes(last)
                last.clear()
            if data:
                await self._client.write(data)

        wire = Wire(receive, send)
        around = self._around
        connection = around.asking.latest(self._request.connection)  # its program may be known by now
        request = replace(self._request, connection=connection)
        whole = False
        try:
            with around.watch(request.connection, path=self._route.path, answering=lambda: wire.started):
                whole = await around.exchanges.handle(request, wire, turn)
        finally:
            turn.close()
            if not whole and not turn.answer.failed and not self._closing:
                self._cut()

    async def _break_off(self, error: UpstreamError) -> None:
        """The service says no more: every answer that runs ends in the middle."""
        for turn in self._turns:
            turn.answer.end(error)
        for turn in self._turns:
            await turn.ended.wait()

    async def _abandon(self) -> None:
        """The client wants no more answers."""
        for turn in self._turns:
            if turn.task is not None:
                turn.task.cancel()
        for turn in self._turns:
            await turn.ended.wait()

    # The connection

    async def _direction(self, carry: Callable[[], Awaitable[None]]) -> None:
        try:
            await carry()
        except _End as end:
            self._end(end.broken)
        except (OSError, UpstreamError, ClientGone):
            self._end(None)
        except Exception:
            log.exception("a WebSocket failed")
            self._end(Broken(CloseCode.INTERNAL_ERROR, "Drawbridge could not handle this"))

    def _account_for(self, frames: MessageReader) -> None:
        if frames.failure is not None:
            raise _End(frames.failure)
        held = frames.held
        if held != frames.counted:
            fits = self._around.room.moved(frames.counted, held)
            self._held += held - frames.counted
            frames.counted = held
            if not fits:
                raise _End(_TOO_MUCH)

    def _end(self, broken: Broken | None) -> None:
        if not self._ending.done():
            self._ending.set_result(_End(broken))

    def _cut(self) -> None:
        """An answer could not be ended in order: without a close frame, the client notices."""
        self._end(None)

    async def _say_why(self, broken: Broken) -> None:
        """A close frame of ours to both sides."""
        self._closing = True
        await self._tasks.cancel()
        with suppress(ClientGone, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._client.write(close(broken.code, broken.reason))
        with suppress(UpstreamError, TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._upstream.write(close(broken.code, broken.reason, mask=self.mask()))

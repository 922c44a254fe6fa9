"""An upstream in memory: says what a test tells it to, and keeps what was asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from agent.gateway.transport.base import Headers, TransportError, UpstreamRequest
from agent.model.traffic import Target

JSON: Headers = ((b"content-type", b"application/json"),)
SSE: Headers = ((b"content-type", b"text/event-stream"),)

type Piece = bytes | Exception | asyncio.Event
"""What an answer's body is made of: bytes, a failure, or something to wait for."""


class FakeResponse:
    """Implements `UpstreamResponse`."""

    reason = b""
    http_version = "1.1"
    trailers: Headers = ()

    def __init__(self, *pieces: Piece, status: int = 200, headers: Headers = JSON) -> None:
        self.status = status
        self.headers = headers
        self.closed = False
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            match piece:
                case bytes():
                    await asyncio.sleep(0)
                    yield piece
                case asyncio.Event():
                    await piece.wait()
                case _:
                    raise piece

    def chunks(self) -> AsyncIterator[bytes]:
        return self.__aiter__()

    async def aclose(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class Asked:
    """One request as it reached the upstream."""

    target: Target
    request: UpstreamRequest
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The one value of that header, None where it is missing."""
        values = [value for key, value in self.request.headers if key == name]
        assert len(values) < 2
        return values[0] if values else None


class FakeTunnel:
    """Implements `Tunnel`; `said` is what the client's side wrote."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)
        self._more = asyncio.Event()
        self.said = b""
        self.closed = False

    async def read(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        await self._more.wait()
        return b""

    async def write(self, data: bytes) -> None:
        self.said += data

    async def aclose(self) -> None:
        self.closed = True
        self._more.set()


class FakeTransport:
    """Implements `Transport`."""

    def __init__(self, *answers: FakeResponse | TransportError) -> None:
        self.answers: list[FakeResponse | TransportError] = list(answers)
        self.asked: list[Asked] = []
        self.tunnels: list[FakeTunnel | TransportError] = []
        self.connected: list[Target] = []
        self.before_answer: Callable[[], object] = lambda: None

    async def send(self, target: Target, request: UpstreamRequest) -> FakeResponse:
        body = (
            request.body
            if isinstance(request.body, bytes)
            else b"".join([part async for part in request.body])
        )
        self.asked.append(Asked(target, request, body))
        self.before_answer()
        await asyncio.sleep(0)
        answer = self.answers.pop(0)
        if isinstance(answer, TransportError):
            raise answer
        return answer

    async def connect(self, target: Target) -> FakeTunnel:
        self.connected.append(target)
        tunnel = self.tunnels.pop(0)
        if isinstance(tunnel, TransportError):
            raise tunnel
        return tunnel

    def drop_idle(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


class FakeClient:
    """A client's side of one exchange over ASGI: what it sends in pieces, and what it got."""

    def __init__(self, body: bytes | Sequence[bytes] = b"") -> None:
        pieces = [body] if isinstance(body, bytes) else list(body)
        self._incoming = [
            {"type": "http.request", "body": piece, "more_body": place + 1 < len(pieces)}
            for place, piece in enumerate(pieces)
        ]
        self.leaves = False  # instead of sending more
        self.status = 0
        self.headers: Headers = ()
        self.pieces: list[bytes] = []
        self.finished = False
        self.on_send: Callable[[], object] = lambda: None

    async def receive(self) -> dict[str, object]:
        await asyncio.sleep(0)
        if self.leaves or not self._incoming:
            return {"type": "http.disconnect"}
        return self._incoming.pop(0)

    async def send(self, message: dict[str, object]) -> None:
        await asyncio.sleep(0)
        self.on_send()
        match message:
            case {"type": "http.response.start", "status": int() as status, "headers": headers}:
                self.status, self.headers = status, tuple(headers)  # type: ignore[arg-type]
            case {"type": "http.response.body", "body": bytes() as body, "more_body": more}:
                assert not self.finished
                self.pieces.append(body)
                self.finished = not more

    @property
    def body(self) -> bytes:
        """The answer's body so far."""
        return b"".join(self.pieces)

    def header(self, name: bytes) -> bytes | None:
        """The one value of that header of the answer."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) < 2
        return values[0] if values else None

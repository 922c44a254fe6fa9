"""A toy format that streams, orders in it, and providers on loopback that answer as told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.errors import ConfigError
from agent.gateway.dispatch.ports import NotAdmitted, Prepared
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartKind,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
)
from agent.model.traffic import Target
from agent.routing.plan import Candidate, KeyRef, Plan
from agent.translation.base import StreamSource, Untranslatable
from tests.fakes.http_server import Peer, Script

START, END = b"data: start\n\n", b"data: end\n\n"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def said(text: str) -> bytes:
    """An event with text."""
    return f"data: text {text}\n\n".encode()


def erred(kind: str) -> bytes:
    """An error inside a stream."""
    return f"data: error {kind}\n\n".encode()


def answer(status: bytes, body: bytes = b"{}", *fields: bytes) -> bytes:
    """A whole answer in JSON, as bytes."""
    lines = (
        b"HTTP/1.1 " + status,
        b"content-type: application/json",
        *fields,
        b"content-length: %d" % len(body),
    )
    return b"\r\n".join((*lines, b"", body))


class ToySource:
    """Implements `StreamSource` for the toy format."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        *events, self._rest = (self._rest + data).split(b"\n\n")
        return tuple(_event(each.removeprefix(b"data: ").decode()) for each in events)

    def finish(self) -> tuple[StreamEvent, ...]:
        return ()


def _event(data: str) -> StreamEvent:
    word, _, rest = data.partition(" ")
    match word:
        case "text":
            return PartDelta(part=0, text=rest)
        case "tool":
            return PartStarted(part=0, kind=PartKind.TOOL_CALL, name=rest)
        case "part":
            return PartStarted(part=0, kind=PartKind.TEXT)
        case "error":
            return StreamFailed(message="the provider's own words", kind=rest)
        case "finish":
            return ChoiceEnded(finish=Finish(rest))
        case "end":
            return Ended()
        case _:
            return Started()


@dataclass
class ToyOrder:
    """Implements `Order`. A candidate's `settings` is the target it is asked at."""

    plan: Plan
    repeatable: bool = True
    tokens: int = 10
    stream: bool = True
    cannot: tuple[str, ...] = ()  # providers whose format cannot say it
    broke: tuple[str, ...] = ()  # providers whose budget is spent
    prepared: list[str] = field(default_factory=list)

    def prepare(self, candidate: Candidate) -> Prepared:
        if candidate.provider.id in self.cannot:
            raise Untranslatable(["sampling.seed"], target=candidate.provider.id)
        self.prepared.append(candidate.provider.id)
        target = candidate.settings
        assert isinstance(target, Target)
        return Prepared(
            target=target,
            path=b"/v1/chat",
            body=b'{"model":"m"}',
            headers=((b"content-type", b"application/json"), (b"authorization", b"the client's own")),
            dialect="toy",
            source=self._source(),
        )

    async def admit(self, candidate: Candidate) -> NotAdmitted | None:
        if candidate.provider.id in self.broke:
            return NotAdmitted(status=402, message="has spent its budget")
        return None

    def _source(self) -> StreamSource | None:
        return ToySource() if self.stream else None


class ToyCredentials:
    """Implements `Credentials`: a key is its name; `missing` ones cannot be read."""

    def __init__(self, *missing: str) -> None:
        self._missing = missing
        self.refusals: list[str] = []  # keys that a provider refused

    async def headers(self, candidate: Candidate, key: KeyRef, prepared: Prepared) -> Headers:
        if key.name in self._missing:
            raise ConfigError("the secret is not there")
        return ((b"authorization", b"Bearer " + key.name.encode()),)

    def refused(self, key: KeyRef) -> None:
        self.refusals.append(key.name)


async def read(response: UpstreamResponse) -> bytes:
    """The whole body."""
    return b"".join([piece async for piece in response])


class Act:
    """A script that answers each request in turn as told: bytes are sent, numbers are pauses, `None` hangs. After an
    answer the connection is closed; the last answer is repeated."""

    def __init__(self, *turns: tuple[bytes | float | None, ...] | bytes) -> None:
        self._turns = [turn if isinstance(turn, tuple) else (turn,) for turn in turns]
        self.keys: list[bytes] = []
        self.left = asyncio.Event()  # a client went before its answer was over

    async def __call__(self, peer: Peer) -> None:
        request = await peer.request()
        self.keys.append((request.header(b"authorization") or b"").removeprefix(b"Bearer "))
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        for part in turn:
            match part:
                case bytes():
                    await peer.send(part)
                case None:
                    await peer.ended()
                    self.left.set()
                case seconds:
                    await asyncio.sleep(seconds)


type Serving = Callable[[Script], Target]

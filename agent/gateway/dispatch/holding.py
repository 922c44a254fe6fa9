"""Holding an answer back until it is worth committing to: nothing has gone to the client, so it can still fail.

Of a stream, content commits: text, thought, a call of a tool, or an ending that explains why there is none. What only
announces (ids, counts, empty parts) does not, so that an error that comes right after it still leads elsewhere. Of a
whole answer, its end commits. Both are bounded: what grows too large is committed to as it is.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import orjson

from agent.dialects.encoding import Decoder
from agent.errors import ContentError
from agent.gateway import headers
from agent.gateway.dispatch.patience import Patiently
from agent.gateway.plain import coding
from agent.gateway.transport.base import UpstreamResponse
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartKind,
    PartStarted,
    StreamEvent,
    StreamFailed,
)
from agent.routing.failures import Cause, Failure, of_stream_error
from agent.translation.base import StreamSource

MAX_CHUNKS = 64
MAX_BYTES = 256 * 1024
"""Of a stream that is held."""

MAX_WHOLE = 4 * 2**20
"""Bytes of a whole answer that is held; longer ones are images or sounds, which flow."""

MAX_ERROR = 256 * 1024
"""Bytes of an error's body."""

_SILENT_ENDINGS = frozenset({Finish.STOP, Finish.FAILED})
"""Endings that do not explain why there was no content before them."""


@dataclass(slots=True)
class Held:
    """What has come so far. `rest` is None where that is all; with `failure` it must not be handed on."""

    chunks: list[bytes] = field(default_factory=list)
    rest: AsyncIterator[bytes] | None = None
    failure: Failure | None = None
    streamed: bool = False


async def hold(
    response: UpstreamResponse, source: StreamSource | None, *, silence: float | None = None
) -> Held:
    """Read on until the answer (of a status below 300) is worth committing to, or has failed. Raises TransportError,
    also where nothing comes for `silence` seconds."""
    kind = headers.get(response.headers, b"content-type").partition(b";")[0].strip().lower()
    whole = kind == b"application/json" or kind.endswith(b"+json")
    if source is not None and not whole:
        return await _hold_stream(response, source, silence)
    if not whole:
        return Held(rest=_pieces(response, silence))
    held = await collect(response, MAX_WHOLE, silence=silence)
    if held.rest is None:
        body = b"".join(held.chunks)
        held.failure = _error_inside(body)
        if response.status == 200 and held.failure is None and not _may_be_whole(response, body):
            held.failure = Failure(
                cause=Cause.PROTOCOL, status=200, message="sent an answer that is not whole"
            )
    return held


async def collect(response: UpstreamResponse, limit: int, *, silence: float | None = None) -> Held:
    """The body, to its end or until `limit` is passed. Raises TransportError."""
    chunks: list[bytes] = []
    size = 0
    rest = _pieces(response, silence)
    async for chunk in rest:
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            return Held(chunks, rest)
    return Held(chunks)


def _pieces(response: UpstreamResponse, silence: float | None) -> AsyncIterator[bytes]:
    pieces = aiter(response)
    return pieces if silence is None else Patiently(pieces, silence)


async def _hold_stream(response: UpstreamResponse, source: StreamSource, silence: float | None) -> Held:
    decoder = _decoder(response)
    watch = _Watch()
    chunks: list[bytes] = []
    size = 0
    rest = _pieces(response, silence)
    try:
        async for chunk in rest:
            chunks.append(chunk)
            size += len(chunk)
            plain = chunk if decoder is None else decoder.feed(chunk)
            watch.see(source.feed(plain))
            if watch.failure is not None:
                return Held(chunks, rest, watch.failure, streamed=True)
            if watch.content or len(chunks) >= MAX_CHUNKS or size >= MAX_BYTES:
                return Held(chunks, rest, streamed=True)
        watch.see(source.finish())
    except ContentError:
        failure = Failure(
            cause=Cause.PROTOCOL, status=response.status, message="sent a stream that cannot be read"
        )
        return Held(chunks, rest, failure, streamed=True)
    if watch.failure is None and not watch.content:
        watch.failure = _without_content(response.status, ended=watch.ended)
    return Held(chunks, None, watch.failure, streamed=True)


class _Watch:
    """What the events so far have shown."""

    __slots__ = ("content", "ended", "failure")

    def __init__(self) -> None:
        self.content = False
        self.ended = False
        self.failure: Failure | None = None

    def see(self, events: tuple[StreamEvent, ...]) -> None:
        """Once there is content, nothing that follows matters here."""
        for event in events:
            match event:
                case PartDelta():
                    self.content = bool(event.text)
                case PartStarted():
                    self.content = event.kind is PartKind.TOOL_CALL
                case ChoiceEnded():
                    self.content = event.finish not in _SILENT_ENDINGS
                case StreamFailed():
                    self.failure = of_stream_error(event.kind, event.status, event.message)
                case Ended():
                    self.ended = True
                case _:
                    continue
            if self.content or self.failure is not None:
                return


def _without_content(status: int, *, ended: bool) -> Failure:
    if ended:
        return Failure(cause=Cause.EMPTY, status=status, message="sent a stream without content")
    return Failure(cause=Cause.CLOSED, status=status, message="ended its stream before there was content")


def _decoder(response: UpstreamResponse) -> Decoder | None:
    named = coding(response)
    return Decoder(named, limit=MAX_BYTES * 16) if named else None


def _may_be_whole(response: UpstreamResponse, body: bytes) -> bool:
    """Whether it ends as JSON does. A relay that loses its own upstream may end half of an answer in order."""
    return _decoder(response) is not None or body[-64:].rstrip().endswith((b"}", b"]"))


def _error_inside(body: bytes) -> Failure | None:
    """The error that a whole answer of status 200 is, as relays of other providers send them (OpenRouter)."""
    if b'"error"' not in body[:64]:
        return None
    try:
        error = orjson.loads(body).get("error")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    if not isinstance(error, dict):
        return None
    code, kind = error.get("code"), error.get("type") or error.get("status")
    status = code if isinstance(code, int) and 400 <= code < 600 else 0
    word = kind if isinstance(kind, str) else code if isinstance(code, str) else ""
    return of_stream_error(word, status, str(error.get("message", "")))

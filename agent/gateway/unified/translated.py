"""A provider's answer in the client's format: what the rest of the gateway reads instead of the provider's own bytes.

It implements `UpstreamResponse`, so that inspection, audit and the client's side know nothing of translation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import orjson

from agent.dialects.base import Voice
from agent.dialects.faults import error_about
from agent.dialects.shapes import mapping, string
from agent.errors import ContentError, UpstreamError
from agent.gateway import faults, headers
from agent.gateway.plain import collected, decoded
from agent.gateway.transport.base import Headers, UpstreamResponse
from agent.model.conversation import Conversation, Ended, StreamEvent, StreamFailed
from agent.routing.failures import of_status
from agent.translation.base import ProviderTranslator, Translator
from agent.translation.replay import events_of

_DROPPED = frozenset({b"content-type", b"content-length", b"content-encoding", b"transfer-encoding"})
_DATA = b"data: "
_MAX_MESSAGE = 2000  # characters of a provider's own words about an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Languages:
    """Between which formats an answer is translated, and the conversation it answers. `voice` is the client's
    dialect; `array`: the events of its stream are to stand in one JSON array."""

    client: Translator
    provider: ProviderTranslator
    conversation: Conversation
    voice: Voice
    array: bool = False


class TranslatedAnswer:
    """Implements `UpstreamResponse`."""

    reason = b""
    http_version = "1.1"
    trailers: Headers = ()

    def __init__(self, response: UpstreamResponse, languages: Languages, *, limit: int) -> None:
        """`limit` is the largest body, in bytes."""
        self._response = response
        self._languages = languages
        self._limit = limit
        self.status = response.status
        given = headers.get(response.headers, b"content-type").partition(b";")[0].strip().lower()
        self._streams = response.status == 200 and given == languages.provider.stream_type
        self._wanted = response.status == 200 and languages.conversation.stream
        framed = self._wanted and not languages.array
        kind = languages.client.stream_type if framed else b"application/json"
        kept = (field for field in response.headers if field[0] not in _DROPPED)
        self.headers: Headers = (*kept, (b"content-type", kind))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks()

    def chunks(self) -> AsyncIterator[bytes]:
        """The body in the client's format. Raises UpstreamError where the provider's cannot be read."""
        if not self._wanted:
            return self._whole()
        written = self._stream() if self._streams else self._whole()
        return _array(written) if self._languages.array else written

    async def aclose(self) -> None:
        """See `UpstreamResponse`."""
        await self._response.aclose()

    async def _stream(self) -> AsyncIterator[bytes]:
        source = self._languages.provider.stream_source()
        sink = self._languages.client.stream_sink(self._languages.conversation)
        ended = False
        try:
            async for chunk in decoded(self._response, limit=self._limit):
                events = source.feed(chunk)
                ended = ended or _ends(events)
                if written := b"".join(map(sink.write, events)):
                    yield written
            events = source.finish()
        except ContentError as error:
            raise UpstreamError(f"the provider's stream cannot be read: {error}") from error
        if written := b"".join(map(sink.write, events)):
            yield written
        if not (ended or _ends(events)):
            raise UpstreamError("the provider's stream ended before the answer did")

    async def _whole(self) -> AsyncIterator[bytes]:
        try:
            body = await collected(self._response, limit=self._limit)
            if self.status != 200:
                fault = faults.of_cause(of_status(self.status, body=body).cause)
                said = provider_message(body, self.status)
                yield error_about(self._languages.voice, fault, self.status, said).body
                return
            reply = self._languages.provider.read_answer(body)
        except ContentError as error:
            raise UpstreamError(f"the provider's answer cannot be read: {error}") from error
        if not self._wanted:
            yield self._languages.client.write_answer(reply)
            return
        sink = self._languages.client.stream_sink(self._languages.conversation)
        for event in events_of(reply):  # asked for a stream, the provider answered as a whole
            if written := sink.write(event):
                yield written


async def _array(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Events with JSON in one line, as an array of what they hold."""
    before = b"["
    async for piece in events:
        for line in piece.splitlines():
            if line.startswith(_DATA):
                yield before + line.removeprefix(_DATA)
                before = b",\r\n"
    yield b"]" if before != b"[" else b"[]"


def provider_message(body: bytes, status: int) -> str:
    """What a provider says about an error, in whatever of the usual places; else its status."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, list) and document:
        document = document[0]
    said = mapping(document)
    error = said.get("error")
    places = (
        mapping(error).get("message"),
        error,
        said.get("message"),
        said.get("Message"),
        said.get("detail"),
    )
    text = next((text for place in places if (text := string(place))), "")
    return text[:_MAX_MESSAGE] or f"the provider answered with HTTP status {status}"


def _ends(events: tuple[StreamEvent, ...]) -> bool:
    return any(isinstance(event, Ended | StreamFailed) for event in events)

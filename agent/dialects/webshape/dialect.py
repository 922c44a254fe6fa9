"""A dialect made of a shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.dialects import counting
from agent.dialects.base import Block, EventView, ParsedAnswer, ParsedRequest, RequestHead
from agent.dialects.framing import Framing as Cutter
from agent.dialects.framing import SseFraming
from agent.dialects.jsonedits import edit
from agent.dialects.replies import json_reply
from agent.dialects.webshape.answers import AnswerPlan, EventReader
from agent.dialects.webshape.carriers import edited
from agent.dialects.webshape.framings import cutter
from agent.dialects.webshape.requests import RequestReader
from agent.dialects.webshape.templates import Template, Values, values
from agent.errors import ConfigError
from agent.model.content import Edit, Usage
from agent.model.conversation import TokenCount
from agent.model.webshape import Carrier, Framing, ShownEvent, WebShape

_TYPES = {
    Framing.SSE: "text/event-stream",
    Framing.LINES: "application/x-ndjson",
    Framing.PREFIXED: "text/plain; charset=utf-8",
    Framing.CONNECT: "application/connect+json",
    Framing.BATCH: "application/json; charset=utf-8",
    Framing.TEXT: "text/plain; charset=utf-8",
    Framing.DOCUMENT: "application/json",
}


class WebShapeDialect:
    """Implements `Dialect` and `ConversationVoice`. Immutable."""

    def __init__(self, shape: WebShape) -> None:
        """Raises ConfigError where the shape contradicts itself."""
        self.shape = shape
        try:
            _check(shape)
            self._shown = tuple(map(_Shown.compile, shape.block.events))
            self._stopped = tuple(map(_Shown.compile, shape.block.stopped)) or self._shown
            self._body = Template.compile(shape.block.body) if shape.block.body else None
            self._error = Template.compile(shape.block.error) if shape.block.error else None
        except ConfigError as error:
            raise ConfigError(f"shape {shape.name!r}: {error}", hint=error.hint()) from error
        self._request = RequestReader(shape.request)
        self._answer = AnswerPlan(shape.answer)
        self._types = frozenset(each.encode() for each in shape.answer.types)

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return self.shape.name

    @property
    def reads_query(self) -> bool:
        """Whether its prompts stand in addresses."""
        return self.shape.request.carrier is Carrier.QUERY

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return _TYPES[self.shape.answer.framing].partition(";")[0].encode()

    def framing(self) -> Cutter:
        """What cuts one of its streams into events."""
        return cutter(self.shape.answer.framing)

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Cutter] | None:
        """What cuts an answer of that media type into events; None where it is read whole. Pages call many things an
        event stream that are none, so the shape says what theirs is."""
        del request
        if self.shape.answer.framing is Framing.DOCUMENT:
            return None
        streams = kind in self._types or kind in (SseFraming.content_type, self.stream_type)
        return self.framing if streams else None

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Find texts and facts where the shape says. Raises ContentError."""
        return self._request.read(head, body)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edited(self.shape.request.carrier, body, edits)

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Read an answer that came as one document. Raises ContentError where nothing is found in it."""
        return self._answer.whole(body)

    def edit_answer(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit(body, edits)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """One event's data with the edits made."""
        return edit(data, edits)

    def stream_reader(self, request: ParsedRequest) -> PageReader:
        """A reader for the stream that answers `request`."""
        return PageReader(self, EventReader(self._answer), request.conversation)

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)

    def block(self, message: str) -> Block:
        """The refusal as the page shows an answer, or as its shape words it."""
        return self._block(values(message))

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """The refusal of a request that was read: it names the conversation, where the shape does."""
        return self._block(values(message, conversation=request.conversation))

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy, as a page's own code reads one: JSON with a message."""
        if self._error is None:
            return json_reply(status, {"error": {"message": message}, "message": message})
        return _reply(status, "application/json", self._error.filled(values(message)))

    def stopped(self, message: str, conversation: str) -> bytes:
        """The end of a stream that had begun."""
        return self._written(self._stopped, values(message, conversation=conversation))

    def _block(self, held: Values) -> Block:
        block = self.shape.block
        if self._body is not None:
            return _reply(block.status, block.media_type or "application/json", self._body.filled(held))
        if not self._shown:
            return json_reply(403, {"error": {"message": held["message"]}, "message": held["message"]})
        body = self._written(self._shown, held)
        if self.shape.answer.framing is Framing.BATCH:
            body = b")]}'\n\n" + body
        return _reply(block.status, block.media_type or _TYPES[self.shape.answer.framing], body)

    def _written(self, events: tuple[_Shown, ...], held: Values) -> bytes:
        framing = self.framing()
        return b"".join(framing.encode(each.event, each.data.filled(held)) for each in events)


class PageReader:
    """Reads one answer, and ends it in the page's form."""

    __slots__ = ("_conversation", "_dialect", "read")

    def __init__(self, dialect: WebShapeDialect, events: EventReader, conversation: str) -> None:
        self._dialect = dialect
        self._conversation = conversation
        self.read: Callable[[str, bytes], EventView] = events.read

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """Events of the page's own, with which it shows the message and ends the answer."""
        del in_step
        return self._dialect.stopped(message, self._conversation)


@dataclass(frozen=True, slots=True)
class _Shown:
    event: str
    data: Template

    @classmethod
    def compile(cls, shown: ShownEvent) -> _Shown:
        return cls(shown.event, Template.compile(shown.data))


def _reply(status: int, media_type: str, body: bytes) -> Block:
    return Block(
        status=status,
        headers=(
            (b"content-type", media_type.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ),
        body=body,
    )


def _check(shape: WebShape) -> None:
    request, answer = shape.request, shape.answer
    if not request.texts:
        raise ConfigError("request.texts is empty: nothing would be read")
    for says in answer.says:
        first = says.at.steps[0].key if says.at.steps else None
        if first in answer.sticky:
            raise ConfigError(f"the text {says.channel!r} stands under a sticky key")
    if answer.framing is Framing.DOCUMENT and (shape.block.events or shape.block.stopped):
        raise ConfigError("an answer that is one document has no events to show: give block.body")
    if answer.framing is not Framing.DOCUMENT and not (shape.block.events or shape.block.stopped):
        raise ConfigError(
            "answers stream, but nothing says how one that was stopped ends: give block.stopped"
        )

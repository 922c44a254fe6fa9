"""The port every wire dialect implements: read a request, read an answer, say no.

A dialect is pure: bytes and values in, values out. It knows JSON paths and event names of one API, nothing of
sockets, policies or detectors. Unknown fields, blocks and events are left alone: what it does not know passes opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent.dialects.framing import Framing
from agent.model.content import NO_USAGE, Attachment, Edit, Slot, Usage
from agent.model.conversation import TokenCount
from agent.model.direct import direct


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHead:
    """What a dialect may look at besides the body. `path` is decoded and without query; `query` as sent. `action` is
    what the header X-Amz-Target names, where several operations of a service share one path."""

    method: str
    path: str
    query: str = ""
    content_type: str = ""
    action: str = ""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRequest:
    """A request that was understood. `slots` are in document order."""

    model: str = ""
    stream: bool = False
    operation: str = "chat"
    slots: tuple[Slot, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    max_tokens: int | None = None  # the most output that the client asks for
    answers: int = 1  # how many the client asks for
    conversation: str = ""  # the service's own id of the conversation, where the request names it
    files: tuple[str, ...] = ()  # ids of files that were uploaded before and are meant here
    asks: bool = True  # False: some other errand on the same path, which no model sees
    sealed: bool = False  # the service signs what is sent: nothing in it can be changed
    hides_usage: bool = False  # the client does not expect the counts of tokens that the gateway asked for
    wordless: bool = False  # of a kind that carries no text: none is missed


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedAnswer:
    """A complete (not streamed) answer that was understood."""

    slots: tuple[Slot, ...] = ()
    model: str = ""
    usage: Usage = NO_USAGE
    finish_reason: str = ""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """A piece of one text that a stream delivers in parts.

    `channel` names the text that the piece continues (a choice, a content block, a tool call's arguments), unique
    within the stream; `slot` is the piece in the event's own JSON document. `json_fragment` marks text that is itself
    a piece of a JSON document (tool arguments): its escapes may be cut by the chunking.

    Streams of snapshots say in each event all of a text so far: there the slot's first `known` characters are the whole
    of what the channel was given before. Its last `loose` ones are not the channel's: what a service puts behind a text
    that is cut off (the end of a code block), and takes back in the next event.
    """

    channel: str
    slot: Slot
    json_fragment: bool = False
    known: int = 0
    loose: int = 0

    @property
    def piece(self) -> str:
        """What the channel has not had yet."""
        text = self.slot.text
        return text[self.known : len(text) - self.loose] if self.known or self.loose else text


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """What one event of a stream means.

    `closes` names channels that get no further piece. `repeats` are slots that say again, whole, what a channel has
    already delivered in pieces (`response.output_text.done`, `response.completed`): they must be inspected, and
    rewritten, as whole texts. `instead` is the event's data said in another way, for an event whose meaning rests on
    texts that the client may not have as they came; slots stand in it.
    """

    deltas: tuple[Delta, ...] = ()
    closes: tuple[str, ...] = ()
    repeats: tuple[Slot, ...] = ()
    model: str = ""
    usage: Usage = NO_USAGE
    finish_reason: str = ""
    keepalive: bool = False  # carries nothing: may overtake events that are held back
    final: bool = False  # the dialect's own end of a stream
    instead: bytes | None = None

    @property
    def only_adds(self) -> bool:
        """Whether the event adds to texts and says nothing else of the answer's course."""
        return bool(self.deltas) and not (
            self.closes
            or self.repeats
            or self.final
            or self.keepalive
            or self.finish_reason
            or self.instead is not None
            or self.usage is not NO_USAGE
        )

    @property
    def only_counts(self) -> bool:
        """Whether the event tells counts of tokens and nothing else."""
        return self.usage is not NO_USAGE and not (
            self.deltas or self.closes or self.repeats or self.finish_reason or self.final
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A refusal in the client's own dialect, which the client shows and does not retry."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class StreamReader(Protocol):
    """Reads the events of one answer's stream, in order. Holds what the dialect needs to know between events."""

    def read(self, event: str, data: bytes) -> EventView:
        """What the event means. `event` is the SSE event name ("" where none), `data` the joined data lines.

        Never raises on unknown or malformed data: that is an empty view.
        """
        ...

    def block(self, message: str, *, in_step: bool = True) -> bytes:
        """Bytes that end the stream, as the dialect ends one that was stopped, and show `message`: complete SSE
        events, to be written after whatever was already sent, followed by the end of the body.

        `in_step` says whether the client has been sent every event that opens or closes something, as this reader
        has read them; where it has not, only an ending that is valid anywhere will do.
        """
        ...


class RequestFormat(Protocol):
    """Finds the texts of a request and changes them."""

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """Find model, stream flag, text slots and attachments. `body` is already free of Content-Encoding.

        Raises ContentError where the body is not what the format promises (not JSON, not an object, duplicate keys,
        too deep).
        """
        ...

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        ...


class Voice(Protocol):
    """Says no, or that something broke, so that a client understands it."""

    def block(self, message: str) -> Block:
        """The refusal of a whole exchange, streaming or not."""
        ...

    def error(self, status: int, message: str) -> Block:
        """An error that is not policy (too large, upstream unreachable), in the dialect's own shape."""
        ...


@runtime_checkable
class ConversationVoice(Protocol):
    """A voice whose refusal names the conversation it belongs to, as a page expects of an answer."""

    def block_in(self, message: str, request: ParsedRequest) -> Block:
        """The refusal of a request that was read."""
        ...


class Dialect(RequestFormat, Voice, Protocol):
    """One wire format."""

    @property
    def name(self) -> str:
        """The catalog's name of the format, such as `openai-chat`."""
        ...

    @property
    def reads_query(self) -> bool:
        """Whether a request without a body has its texts in the query of its address: `parse_request` and
        `edit_request` are given that instead."""
        ...

    def parse_answer(self, body: bytes) -> ParsedAnswer:
        """Read a complete answer. Raises ContentError as `parse_request` does."""
        ...

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer of this format reports, normalised."""
        ...

    def edit_answer(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        ...

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        ...

    def framing(self) -> Framing:
        """What cuts one of its streams into events."""
        ...

    def framing_of(self, kind: bytes, request: ParsedRequest) -> Callable[[], Framing] | None:
        """What cuts an answer of the media type `kind` to `request` into events; None where such an answer is read
        whole."""
        ...

    def stream_reader(self, request: ParsedRequest) -> StreamReader:
        """A reader for the stream that answers `request`."""
        ...

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """One event's data with the edits made."""
        ...

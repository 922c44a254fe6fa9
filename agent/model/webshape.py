"""The wire format of a chat page as a value: where its texts stand, how its answers stream, how it shows a refusal.

Says nothing of how that is carried out (`agent/dialects/webshape/`) or written down (`agent/catalog/shapes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.content import Role
from agent.model.pointers import Pointer


class Carrier(StrEnum):
    """What a request is."""

    JSON = "json"
    LINES = "lines"  # JSON documents, one a line
    CONNECT = "connect"  # JSON messages in envelopes of the Connect protocol
    FORM = "form"  # application/x-www-form-urlencoded; documents are objects with one field each
    MULTIPART = "multipart"  # multipart/form-data; so are they here, and files are attachments
    QUERY = "query"  # no body: the query of its address, read as a form


class Framing(StrEnum):
    """How an answer comes."""

    SSE = "sse"
    LINES = "lines"  # one event a line, which is a JSON document
    PREFIXED = "prefixed"  # one event a line: a short name, a colon, a JSON value
    CONNECT = "connect"
    BATCH = "batch"  # Google's batches: )]}' and then lengths and JSON arrays, line by line
    TEXT = "text"  # the bare text, as it is made
    DOCUMENT = "document"  # one JSON document, whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of a request that one side speaks."""

    role: Role
    at: Pointer


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Something attached: `at` leads to objects, in which `name`, `media_type` and `size` are the ways to what is known
    of them. Where it leads to a text, that is a URL or an id."""

    at: Pointer
    kind: str = "file"
    name: Pointer | None = None
    media_type: Pointer | None = None
    size: Pointer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeRequest:
    """Where a request holds what. Of `model` and `conversation` the first that leads to a text counts; `stream` True is
    an answer that always streams. `when` are conditions, all of which hold for a call that asks a model; other calls on
    the same path pass as they came. `conversation_after` is the part of the path behind which the id of the
    conversation stands (`new` is none). `sealed`: the page signs what it sends, so nothing in it can be changed."""

    carrier: Carrier = Carrier.JSON
    texts: tuple[Texts, ...] = ()
    when: tuple[Pointer, ...] = ()
    model: tuple[Pointer, ...] = ()
    conversation: tuple[Pointer, ...] = ()
    conversation_after: str = ""
    stream: bool | Pointer = False
    attachments: tuple[Attached, ...] = ()
    files: tuple[Pointer, ...] = ()
    sealed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """A text that an answer delivers in parts. `events` are the names of events that may hold one; none: any may.
    `grows`: each event says the text again from its beginning, longer than before."""

    channel: str
    at: Pointer
    events: tuple[str, ...] = ()
    grows: bool = False
    role: Role = Role.ASSISTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeAnswer:
    """Where an answer holds what, event by event. `types` are content types (lower case) beside `text/event-stream`
    that such answers have. `repeats` are texts said again, whole. `sticky` are keys of an event that keep the value of
    the event before where they are left out. The answer is over with an event of one of `end_events`, with the data
    `end_data`, or in which one of `end` leads somewhere; `finish` leads to the word for why. `padding` is a
    character that may stand behind a piece to hide its length."""

    framing: Framing = Framing.SSE
    types: tuple[str, ...] = ()
    says: tuple[Says, ...] = ()
    repeats: tuple[Says, ...] = ()
    sticky: tuple[str, ...] = ()
    padding: str = ""
    end_events: tuple[str, ...] = ()
    end_data: tuple[str, ...] = ()
    end: tuple[Pointer, ...] = ()
    finish: tuple[Pointer, ...] = ()
    model: tuple[Pointer, ...] = ()
    input_tokens: tuple[Pointer, ...] = ()
    output_tokens: tuple[Pointer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEvent:
    """One event of our own: `data` is a JSON text with placeholders inside its strings, or a bare word as it is."""

    data: str
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeBlock:
    """How a refusal is shown: by `events` in the framing of answers, or by a `body` where there are none. `stopped`
    ends a stream that has begun; empty: `events`. `error` is the body of an error that is no refusal; empty: our own.

    Placeholders: {message}, {uuid} (one for each refusal), {now} (RFC 3339), {seconds} (Unix time; a number where it
    stands alone), {conversation}.
    """

    status: int = 200
    media_type: str = ""
    events: tuple[ShownEvent, ...] = ()
    stopped: tuple[ShownEvent, ...] = ()
    body: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeExample:
    """A request or an answer, and what is to be read in it: the texts in order, and what else is given. Envelopes of
    Connect are put around by whoever tries it: `request` and `answer` hold one document a line there."""

    request: str = ""
    content_type: str = ""
    reads: tuple[str, ...] = ()
    model: str = ""
    conversation: str = ""
    answer: str = ""
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebShape:
    """The format of a chat page. `name` is that of its dialect."""

    name: str
    about: str = ""
    request: ShapeRequest
    answer: ShapeAnswer = ShapeAnswer()
    block: ShapeBlock = ShapeBlock()
    examples: tuple[ShapeExample, ...] = ()

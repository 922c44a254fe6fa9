"""The ports that formats' translators implement, and how they say what they cannot carry.

Reading is generous: what a reader does not know it names in `Conversation.unread` (requests) or leaves out (answers:
a client of another format could not have understood it). Writing is strict: what the target cannot express is told to
`Losses`, which refuses it, or notes it where policy says that it may be dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from agent.errors import ContentError
from agent.model.conversation import Conversation, Reply, StreamEvent


class Untranslatable(ContentError):
    """The request uses what the provider's format cannot express. `fields` names it in the client's words."""

    def __init__(self, fields: Sequence[str], *, target: str) -> None:
        self.fields = tuple(fields)
        named = ", ".join(self.fields)
        super().__init__(
            f"{named} cannot be expressed in {target}",
            hint="leave it out, choose a provider that speaks the same format, or let the policy drop it",
        )


@dataclass(slots=True, kw_only=True)
class Losses:
    """Collects what a writer cannot carry. `drop` says whether policy lets it be left out."""

    target: str
    drop: bool = False
    dropped: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def lose(self, name: str) -> None:
        """The feature `name`, in the hub's words (`sampling.seed`, `turns[3].parts[1]`), goes no further."""
        (self.dropped if self.drop else self.refused).append(name)

    def settle(self) -> tuple[str, ...]:
        """What was dropped. Raises Untranslatable with all that was refused."""
        if self.refused:
            raise Untranslatable(self.refused, target=self.target)
        return tuple(dict.fromkeys(self.dropped))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What a server does otherwise than the format it speaks: facts of its catalog row."""

    max_tokens_field: str = ""  # OpenAI chat: `max_tokens` where `max_completion_tokens` is not known
    unsupported: frozenset[str] = frozenset()  # hub names (`sampling.seed`) that it refuses
    default_max_tokens: int = (
        0  # where the format demands a limit and the client gave none; 0: the writer's own
    )
    system_role: str = ""  # OpenAI chat: `system` where `developer` is not known
    family: str = ""  # of the model, where one format carries several families' own fields (Bedrock Converse)
    accepts: frozenset[str] = (
        frozenset()
    )  # fields beyond the format, in its own words (`top_k`, `cache_control`)


NO_QUIRKS = Quirks()


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request in a format. `operation` picks the path among those of the provider's row for this format: `chat`, or
    `chat_stream` where the format streams on another path (Gemini, Bedrock)."""

    body: bytes
    operation: str = "chat"


class StreamSource(Protocol):
    """Reads one answer's stream. Takes bytes as they arrive, cut anywhere."""

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes. Unknown events of the format are left out. Raises ContentError where the
        bytes are no stream of this format at all, or an event outgrows its limit."""
        ...

    def finish(self) -> tuple[StreamEvent, ...]:
        """The body has ended: what is left. Gives `Ended` where the format has no end of its own and the answer is
        whole; a stream that broke off gives none."""
        ...


class StreamSink(Protocol):
    """Writes one answer's stream. Events come in the order in which `model.conversation` says."""

    def write(self, event: StreamEvent) -> bytes:
        """Complete events of the format, or nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """An answer that may be only the promise of one: a job that was taken.

    `over`: it is the whole answer. `failed`: the provider's words where the job came to nothing. The others are URLs,
    empty where the provider names none: `stream` gives the answer as it is made, `poll` tells how far it is, and a
    POST to `cancel` gives it up.
    """

    over: bool = False
    failed: str = ""
    stream: str = ""
    poll: str = ""
    cancel: str = ""


@runtime_checkable
class Promising(Protocol):
    """What a translator also has whose providers promise answers."""

    @property
    def patient_fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """Header fields by which a provider is asked to answer only when a whole answer is there."""
        ...

    def read_promise(self, body: bytes) -> Promise:
        """What an answer of status 200 to 299 says. Raises ContentError."""
        ...


class ProviderTranslator(Protocol):
    """One wire format as providers speak it. Pure and without state; sources hold the state of one stream."""

    @property
    def name(self) -> str:
        """The catalog's name of the format, such as `openai-chat`."""
        ...

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        ...

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request for the provider. Tells `losses` what it leaves out, `conversation.unread` not included (that is
        the caller's). Raises ContentError where the conversation itself makes no sense to any format."""
        ...

    def read_answer(self, body: bytes) -> Reply:
        """A whole answer of status 200. Raises ContentError."""
        ...

    def stream_source(self) -> StreamSource:
        """A reader for one stream."""
        ...


class Translator(ProviderTranslator, Protocol):
    """One wire format, both ways: clients speak it as well. Sinks hold the state of one stream."""

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`. `path` may name the model and the streaming (Gemini, Bedrock). Raises
        ContentError with the field where the body is not what the format promises."""
        ...

    def write_answer(self, reply: Reply) -> bytes:
        """The whole answer for the client."""
        ...

    def stream_sink(self, conversation: Conversation) -> StreamSink:
        """A writer for the stream that answers `conversation` (which says whether usage is wanted, and the model)."""
        ...

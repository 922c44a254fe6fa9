"""A conversation with a model, in no API's words: the hub between the wire formats.

Every format is read into these values and written from them (hub and spoke), so that any client reaches any provider.
They hold what more than one API can say. What only one can say stays with its format: a reader names it in
`Conversation.unread`, and nobody loses it silently. Counts of tokens are normalised here, unlike those of
`model.content`: see `Usage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.model.direct import direct

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
"""A JSON value as `orjson` reads it."""


class Speaker(StrEnum):
    """Who a turn is by. Results of tools are parts of a user's turn."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHint:
    """The prompt up to and including this part may be cached by the provider (Anthropic's `cache_control`)."""

    ttl: str = ""  # "5m", "1h"; empty is the provider's default


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words."""

    text: str
    cache: CacheHint | None = None
    refusal: bool = False  # the model says that it will not answer (OpenAI's `refusal`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """An image, a sound, a video or a document: inline, by URL, or by the id of an uploaded file; exactly one of the
    three is set."""

    kind: MediaKind
    media_type: str = ""  # "image/png"; may be unknown where `url` or `file_id` is set
    data: str = ""  # base64 (RFC 4648) without line breaks
    url: str = ""
    file_id: str = ""
    name: str = ""
    detail: str = ""  # how closely an image is looked at: low, high, auto
    cache: CacheHint | None = None


class MediaKind(StrEnum):
    """What a `Media` part is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """What the model thought before it answered. Providers sign or seal it and want it back unchanged with the tool
    results of the same turn; whoever cannot carry the signature must leave the part out."""

    text: str = ""  # or its summary
    signature: str = ""  # Anthropic's `signature`, Gemini's `thoughtSignature`
    sealed: str = ""  # encrypted thought: Anthropic's `redacted_thinking.data`, OpenAI's `encrypted_content`
    id: str = ""  # of an OpenAI reasoning item


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model asks for a tool. `arguments` is the JSON text as the model wrote it; `{}` where it wrote none."""

    id: str
    name: str
    arguments: str = "{}"
    signature: str = ""  # Gemini signs calls, too
    cache: CacheHint | None = None


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool answered to the call `call_id`. `name` is the tool's, where the format tells or an earlier call of
    the conversation does."""

    call_id: str
    parts: tuple[Text | Media, ...]
    name: str = ""
    error: bool = False
    cache: CacheHint | None = None


type Part = Text | Media | Thinking | ToolCall | ToolResult


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One contribution to the conversation. Neighbouring turns of the same speaker are allowed here; formats that
    want them merged merge them when they write."""

    speaker: Speaker
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function the model may call. `parameters` is a JSON Schema."""

    name: str
    description: str = ""
    parameters: Mapping[str, Json] = field(default_factory=dict)
    strict: bool | None = None
    cache: CacheHint | None = None


class ToolUse(StrEnum):
    """Whether the model may, must or must not call tools."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"  # exactly the tool of that name


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """How tools are to be used. `parallel` False asks for at most one call in a turn; None leaves it to the
    provider."""

    use: ToolUse = ToolUse.AUTO
    name: str = ""
    parallel: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the answer is drawn. None leaves a value to the provider."""

    max_tokens: int | None = None  # of output, thinking included
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    choices: int | None = None  # how many answers (`n`, `candidateCount`)
    logprobs: bool | None = None
    top_logprobs: int | None = None


class Effort(StrEnum):
    """How hard a model is to think, in OpenAI's words."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """Whether and how much a model is to think: by effort (OpenAI) or by a budget of tokens (Anthropic, Gemini). A
    format that has the other kind converts: see `translation.reasoning`. `summary`: the client wants to read it."""

    effort: Effort | None = None
    budget_tokens: int | None = None  # 0 switches it off; -1 leaves the amount to the model
    summary: str = ""  # OpenAI's auto, concise, detailed; set to auto where a client asks to see thoughts


class OutputKind(StrEnum):
    """What shape of text is asked for."""

    TEXT = "text"
    JSON = "json"  # some JSON object
    SCHEMA = "schema"  # JSON that follows `OutputFormat.schema`


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """The structure that the answer's text must have."""

    kind: OutputKind = OutputKind.TEXT
    name: str = ""
    description: str = ""
    schema: Mapping[str, Json] = field(default_factory=dict)
    strict: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A request for the next turn.

    `unread` are fields of the request that its reader could not put into these values, as paths in the client's own
    words (`logit_bias`, `tools[2].type=web_search`): refused when the request is translated, unless policy lets them
    be dropped. They never stop a request that keeps its format.
    """

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    sampling: Sampling = field(default_factory=Sampling)
    reasoning: Reasoning | None = None
    output: OutputFormat | None = None
    stream: bool = False
    usage_in_stream: bool = True  # False: the client did not ask for it (OpenAI chat's `stream_options`)
    user: str = ""  # the client's own name for its end user
    unread: tuple[str, ...] = ()


class Finish(StrEnum):
    """Why a model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    FILTERED = "filtered"  # the provider's own filter cut it, or refused
    STOP_SEQUENCE = "stop_sequence"
    PAUSED = "paused"  # Anthropic's `pause_turn`: to be continued
    FAILED = "failed"  # Gemini's MALFORMED_FUNCTION_CALL and the like: never to be shown as a plain stop


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    """Tokens, normalised: `input` holds all of the prompt, cached or not, and `output` all that the model made,
    thinking included; the others are parts of these two. None where the provider did not say.

    OpenAI counts so. Anthropic's `input_tokens` leaves out cached tokens, Gemini's `candidatesTokenCount` thoughts:
    their readers add, their writers subtract.
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None  # the part of `cache_write` that is kept for an hour
    reasoning: int | None = None

    def merged(self, newer: TokenCount) -> TokenCount:
        """These counts, each replaced by the newer one where that is known: streams report in parts."""
        return TokenCount(
            **{
                name: new if (new := getattr(newer, name)) is not None else getattr(self, name)
                for name in self.__slots__
            }
        )


NO_COUNT = TokenCount()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """How likely a token was: natural logarithms."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One answer of those that were asked for."""

    parts: tuple[Text | Media | Thinking | ToolCall, ...]
    finish: Finish = Finish.STOP
    stop_sequence: str = ""
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer. `created` is Unix seconds."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    usage: TokenCount = NO_COUNT
    created: int = 0


# A streamed answer, as a sequence of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The stream's first event."""

    id: str = ""
    model: str = ""
    created: int = 0
    usage: TokenCount = NO_COUNT


class PartKind(StrEnum):
    """What a streamed part is."""

    TEXT = "text"
    THINKING = "thinking"
    TOOL_CALL = "tool_call"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStarted:
    """A part begins. `part` numbers the parts of one choice from 0, in order; parts of one choice may overlap only
    where they are tool calls. `call_id` and `name` are of a tool call."""

    part: int
    kind: PartKind
    choice: int = 0
    call_id: str = ""
    name: str = ""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class PartDelta:
    """More of a part: text, thought, or the JSON text of a call's arguments."""

    part: int
    text: str
    choice: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSigned:
    """A thinking part's signature or sealed content, a call's signature; see `Thinking`, `ToolCall`."""

    part: int
    choice: int = 0
    signature: str = ""
    sealed: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEnded:
    """A part is whole."""

    part: int
    choice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceEnded:
    """A choice is whole; its parts have ended."""

    choice: int = 0
    finish: Finish = Finish.STOP
    stop_sequence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageKnown:
    """The provider counted. May come more than once; later counts replace earlier ones where they are known."""

    usage: TokenCount


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFailed:
    """The provider reports an error inside the stream. `kind` is its own word for it; `status` what it would have been
    as an HTTP status, 0 where that is not known."""

    message: str
    kind: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The stream's own end (`[DONE]`, `message_stop`, `response.completed`, Gemini's end of body)."""


type StreamEvent = (
    Started
    | PartStarted
    | PartDelta
    | PartSigned
    | PartEnded
    | ChoiceEnded
    | UsageKnown
    | StreamFailed
    | Ended
)

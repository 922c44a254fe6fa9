"""One request in the forms in which its candidates want it: as it came where they speak its format, else translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import orjson

from agent.dialects.multipart import is_form, with_field
from agent.dialects.shapes import mapping
from agent.errors import ConfigError, ContentError
from agent.gateway import headers
from agent.gateway.dispatch import Follow, Prepared
from agent.gateway.transport.base import Headers
from agent.gateway.unified.amendments import OUR_FIELDS, Amendments, may_have
from agent.gateway.unified.crossing import crossing_fields, crossing_query
from agent.gateway.unified.routebook import Backing, Place, RouteBook
from agent.model.conversation import Conversation
from agent.model.direct import direct
from agent.model.provider import Spoken
from agent.routing.plan import Candidate
from agent.telemetry.trace_context import TraceContext, outgoing
from agent.translation.base import Losses, Promising, ProviderTranslator, Translator, Untranslatable
from agent.translation.registry import provider_translator, translator

CHAT = "chat"
_MOST_TOKENS = {  # by dialect: the field that bounds an answer
    "openai-chat": "max_completion_tokens",
    "openai-responses": "max_output_tokens",
    "anthropic-messages": "max_tokens",
    "cohere-chat": "max_tokens",
}
_CONFIGURED = {  # the same, in a section of its own: the spellings of both, the usual one first
    "gemini-generate-content": (
        ("generationConfig", "generation_config"),
        ("maxOutputTokens", "max_output_tokens"),
    ),
    "bedrock-converse": (("inferenceConfig",), ("maxTokens",)),
}
_OTHER_BOUNDS = frozenset({"max_tokens", "max_completion_tokens", "n_predict"})
"""What some server may take for a bound, or for none: it goes where a bound of ours stands."""
_FRAMED_BY_QUERY = "gemini-generate-content"
_STATES_MODEL = frozenset({"openai-chat", "openai-responses", "anthropic-messages", "cohere-chat"})
_WORDS = frozenset({CHAT, "completions"})
"""Operations whose answers can be bounded, and whose streams, where OpenAI's, count their tokens if asked to."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as the client made it, judged: `model` is the name in it, `fields` its headers without credentials."""

    dialect: str
    operation: str
    path: str
    query: bytes
    fields: Headers
    body: bytes
    model: str
    stream: bool
    has_our_fields: bool = False
    usage_wanted: bool = True
    max_tokens: int | None = None

    @property
    def wants_array(self) -> bool:
        """Whether a stream is wanted as one JSON array: Gemini's way, unless its client asks for events."""
        return self.stream and self.dialect == _FRAMED_BY_QUERY and b"alt=sse" not in self.query.split(b"&")


@dataclass(slots=True)
class Forms:
    """Makes the forms of one request. `drop` lets fields go that a provider's format cannot express."""

    asked: Asked
    book: RouteBook
    drop: bool = False
    trace: Callable[[], TraceContext] | None = None  # made only where somebody may be told
    propagate: bool = False  # also providers outside are told the trace
    dropped: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by candidate
    _conversation: Conversation | None = None

    def conversation(self) -> Conversation:
        """The request in no API's words. Raises ContentError."""
        if self._conversation is None:
            asked = self.asked
            reader = _translator(asked.dialect)
            body = Amendments(remove=OUR_FIELDS).made(asked.body) if asked.has_our_fields else asked.body
            self._conversation = reader.read_request(asked.path, asked.query.decode("latin-1"), body)
        return self._conversation

    def spoken(self, candidate: Candidate) -> Spoken:
        """The format in which a candidate is to be asked. Raises ContentError where there is none."""
        operation = self.asked.operation
        offers = self.book.offers(_serving(candidate).provider, candidate.model, operation)
        for each in offers:
            if each.dialect == self.asked.dialect:
                return each
        if operation == CHAT:
            for each in offers:
                if provider_translator(each.dialect) is not None:
                    return each
        raise Untranslatable(
            (f"operation {operation} of {self.asked.dialect}",), target=candidate.provider.name
        )

    def prepare(self, candidate: Candidate, *, bound: int | None = None) -> Prepared:
        """See `dispatch.Order`. `bound` is the most tokens of an answer for which the client set no bound, where
        somebody's budget rests on one."""
        spoken = self.spoken(candidate)
        same = spoken.dialect == self.asked.dialect
        bound = None if self.asked.max_tokens is not None or self.asked.operation not in _WORDS else bound
        make = self._same if same else self._translated
        body = make(candidate, spoken, bound)
        serving = _serving(candidate)
        try:
            place = self.book.place(
                serving.provider, spoken, self.asked.operation, candidate.model, stream=self.asked.stream
            )
        except ConfigError as error:
            raise ContentError(str(error), hint=error.hint()) from error
        source = _speaker(spoken.dialect).stream_source() if self._streams(spoken) else None
        follow = self._follow(spoken) if spoken.follows else None
        fields = self._headers(serving, same=same, private=candidate.private)
        return Prepared(
            target=place.target,
            path=place.path,
            query=self._query(place, same=same),
            body=serving.provider.body(spoken, body),
            headers=fields if follow is None or follow.stream else (*fields, *_patient(spoken.dialect)),
            dialect=spoken.dialect,
            source=source,
            silence=serving.provider.settings.timeout_seconds,
            follow=follow,
        )

    @property
    def hides_usage(self) -> bool:
        """Whether counts of tokens in the client's stream are there for the gateway alone."""
        asked = self.asked
        return (
            asked.dialect == "openai-chat"
            and asked.operation in _WORDS
            and asked.stream
            and not asked.usage_wanted
        )

    def _streams(self, spoken: Spoken) -> bool:
        return (
            self.asked.stream
            and self.asked.operation == CHAT
            and provider_translator(spoken.dialect) is not None
        )

    def _follow(self, spoken: Spoken) -> Follow:
        return Follow(
            read=_promising(spoken.dialect).read_promise,
            source=_speaker(spoken.dialect).stream_source,
            hosts=spoken.follows,
            stream=self.asked.stream,
        )

    def _same(self, candidate: Candidate, spoken: Spoken, bound: int | None) -> bytes:
        asked = self.asked
        if is_form(asked.body):
            return with_field(asked.body, "model", candidate.model)
        serving = _serving(candidate)
        add: dict[str, object] = {}
        gone = OUR_FIELDS if asked.has_our_fields else frozenset()
        rename: dict[str, str] = {}
        if self.hides_usage and "stream_options" not in serving.quirks.unsupported:
            add["stream_options"] = {"include_usage": True}
        most = _MOST_TOKENS.get(asked.dialect, "") if asked.operation == CHAT else "max_tokens"
        if serving.quirks.max_tokens_field and asked.dialect == "openai-chat":
            rename = {"max_completion_tokens": serving.quirks.max_tokens_field}
            most = serving.quirks.max_tokens_field
        if bound is not None and most:
            add[most] = bound
            gone |= {name for name in _OTHER_BOUNDS if may_have(asked.body, name)}
        named = (asked.model, candidate.model) if asked.dialect in _STATES_MODEL else None
        amendments = Amendments(
            model=named,
            add=add,
            remove=gone,
            rename=rename if b'"max_completion_tokens"' in asked.body else {},
        )
        body = amendments.made(asked.body)
        return (
            _bounded(body, *_CONFIGURED[asked.dialect], bound)
            if bound and asked.dialect in _CONFIGURED
            else body
        )

    def _translated(self, candidate: Candidate, spoken: Spoken, bound: int | None) -> bytes:
        conversation = replace(self.conversation(), model=candidate.model)
        if bound is not None:
            sampling = replace(conversation.sampling, max_tokens=bound)
            conversation = replace(conversation, sampling=sampling)
        losses = Losses(target=f"the format of {candidate.provider.name}", drop=self.drop)
        for name in conversation.unread:
            losses.lose(name)
        wire = _speaker(spoken.dialect).write_request(conversation, losses, _serving(candidate).quirks)
        self.dropped[candidate.name] = losses.settle()
        return wire.body

    def _query(self, place: Place, *, same: bool) -> bytes:
        """The client's query goes to who speaks its format. In it, it says itself in which frames it wants a stream."""
        if not same or not (place.query or self.asked.query):
            return place.query
        asked = crossing_query(self.asked.query)
        given = {part.partition(b"=")[0] for part in asked.split(b"&")} | {b"alt"}
        own = [part for part in place.query.split(b"&") if part and part.partition(b"=")[0] not in given]
        return b"&".join([*own, asked] if asked else own)

    def _headers(self, serving: Backing, *, same: bool, private: bool) -> Headers:
        fields = crossing_fields(self.asked.fields, serving.provider, same=same)
        if not headers.get(fields, b"content-type"):
            fields.append((b"content-type", b"application/json"))
        if self.trace is not None and (private or self.propagate):
            fields += outgoing(self.trace())
        return (*fields, (b"accept-encoding", b"identity"))


def _bounded(body: bytes, sections: tuple[str, ...], names: tuple[str, ...], bound: int) -> bytes:
    """The body with a bound in a section of it, in the spelling that it has."""
    document = orjson.loads(body)
    section = next((each for each in sections if each in document), sections[0])
    given = mapping(document.get(section))
    document[section] = {**{key: given[key] for key in given if key not in names}, names[0]: bound}
    return orjson.dumps(document)


def _serving(candidate: Candidate) -> Backing:
    assert isinstance(candidate.settings, Backing)
    return candidate.settings


def _translator(dialect: str) -> Translator:
    found = translator(dialect)
    if found is None:
        raise ContentError(f"requests in the format {dialect} cannot be translated")
    return found


def _speaker(dialect: str) -> ProviderTranslator:
    found = provider_translator(dialect)
    if found is None:
        raise ContentError(f"no request can be translated into the format {dialect}")
    return found


def _promising(dialect: str) -> Promising:
    found: object = _speaker(dialect)
    assert isinstance(found, Promising)  # a test holds the catalog's rows to it
    return found


def _patient(dialect: str) -> Headers:
    return _promising(dialect).patient_fields


def wants_usage(document: Mapping[str, object]) -> bool:
    """Whether a chat request asks for counts of tokens in its stream."""
    options = document.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True

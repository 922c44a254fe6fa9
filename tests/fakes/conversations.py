"""Conversations, answers and streams as Hypothesis makes them, for the tests of every format's translator.

What they hold by default is what most formats can carry. `conversations` and `replies` take features away by keyword;
`merged` and `folded` bring two values that mean the same to the same value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import orjson
from hypothesis import strategies as st

from agent.model.conversation import (
    NO_COUNT,
    CacheHint,
    Choice,
    ChoiceEnded,
    Conversation,
    Effort,
    Ended,
    Finish,
    Media,
    MediaKind,
    OutputFormat,
    OutputKind,
    Part,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reasoning,
    Reply,
    Sampling,
    Speaker,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    ToolUse,
    Turn,
    UsageKnown,
)
from agent.translation.base import StreamSink, StreamSource

_NAMES = ("a", "read_file", "get-weather", "Z9", "_", "mcp__files__list", "x" * 64)
_SAYINGS = (
    "hello",
    " two  words ",
    "several\nlines\r\n\n",
    "data: [DONE]\n\n",
    'a "quoted" \\ word, \\u0022 and \\n',
    "naïve 漢字 🜚 \U0010ffff",
    "\x00\x1f\x7f\u2028\ufeff.",
    '{"looks": "like JSON"}',
    "</thinking>",
    "long " * 50,
)
_OBJECTS: tuple[dict[str, object], ...] = (
    {},
    {"path": "/etc/hosts"},
    {"deep": [[{"er": [None, True, -1, 0.5, ""]}]]},
    {'a "key"': "line\nline", "ü": "🜚"},
    {"type": "object", "content": [{"type": "text", "text": "not a block"}]},
    {"big": 2**53, "small": -(2**53)},
)
_ANY = st.characters(exclude_categories=("Cs",))
_BASE64 = ("aGVsbG8=", "AAEC", "JVBERi0xLjQK", "iVBORw0KGgo=")
_COUNT = st.integers(0, 10**6)


def names() -> st.SearchStrategy[str]:
    """What every API takes as the name of a tool, or as an id."""
    return st.sampled_from(_NAMES)


def words() -> st.SearchStrategy[str]:
    """A text that says something: never blank, with any character that UTF-8 can write."""
    said = st.sampled_from(_SAYINGS)
    return st.one_of(said, said, st.text(_ANY, max_size=20).map("a{}".format))


def json_objects() -> st.SearchStrategy[dict[str, object]]:
    """A JSON object that every reader reads the same."""
    return st.sampled_from(_OBJECTS) | st.dictionaries(words(), st.integers(-(2**53), 2**53), max_size=2)


def argument_texts() -> st.SearchStrategy[str]:
    """The arguments of a call, written as `orjson` writes them."""
    return json_objects().map(lambda value: orjson.dumps(value).decode())


def cache_hints() -> st.SearchStrategy[CacheHint | None]:
    """Mostly none."""
    return st.sampled_from([None, None, None, CacheHint(), CacheHint(ttl="1h")])


def texts(*, cache: bool = True) -> st.SearchStrategy[Text]:
    """Words, now and then to be cached."""
    return st.builds(Text, text=words(), cache=cache_hints() if cache else st.none())


def images(*, cache: bool = True) -> st.SearchStrategy[Media]:
    """An image, inline or by URL."""
    hints = cache_hints() if cache else st.none()
    inline = st.builds(
        Media,
        kind=st.just(MediaKind.IMAGE),
        media_type=st.sampled_from(["image/png", "image/jpeg", "image/webp"]),
        data=st.sampled_from(_BASE64),
        cache=hints,
    )
    linked = st.builds(
        Media,
        kind=st.just(MediaKind.IMAGE),
        url=names().map("https://images.example/{}.png".format),
        cache=hints,
    )
    return inline | linked


def documents(*, cache: bool = True) -> st.SearchStrategy[Media]:
    """A PDF, inline."""
    return st.builds(
        Media,
        kind=st.just(MediaKind.DOCUMENT),
        media_type=st.just("application/pdf"),
        data=st.sampled_from(_BASE64),
        name=names().map("{}.pdf".format),
        cache=cache_hints() if cache else st.none(),
    )


def thoughts() -> st.SearchStrategy[Thinking]:
    """A thought that its provider signed, or sealed."""
    signed = st.builds(Thinking, text=words(), signature=names().map("sig_{}".format))
    return signed | st.builds(Thinking, sealed=names().map("sealed_{}".format))


def tools(*, cache: bool = True) -> st.SearchStrategy[Tool]:
    """A function with a schema."""
    return st.builds(
        Tool,
        name=names(),
        description=words() | st.just(""),
        parameters=json_objects().map(lambda properties: {"type": "object", "properties": properties}),
        strict=st.sampled_from([None, True]),
        cache=cache_hints() if cache else st.none(),
    )


@st.composite
def conversations(
    draw: st.DrawFn, *, media: bool = True, thinking: bool = True, cache: bool = True, stream: bool = False
) -> Conversation:
    """A request that makes sense: system prompts first, every call answered in the next user turn, results before
    words, and no wish that contradicts another (such as a forced tool together with thinking)."""
    offered = tuple(draw(st.lists(tools(cache=cache), max_size=2, unique_by=lambda tool: tool.name)))
    turns = [
        Turn(speaker=Speaker.SYSTEM, parts=(part,)) for part in draw(st.lists(texts(cache=cache), max_size=2))
    ]
    said = texts(cache=cache)
    shown = said | images(cache=cache) | documents(cache=cache) if media else said
    for number in range(draw(st.integers(0, 2))):
        turns.append(Turn(speaker=Speaker.USER, parts=tuple(draw(st.lists(shown, min_size=1, max_size=2)))))
        turns += _round(draw, number, offered, said, thinking=thinking, cache=cache)
    turns.append(Turn(speaker=Speaker.USER, parts=tuple(draw(st.lists(shown, min_size=1, max_size=2)))))
    return Conversation(
        model=draw(names()),
        turns=tuple(turns),
        tools=offered,
        tool_choice=_choice(draw, offered),
        sampling=draw(samplings()),
        output=draw(st.none() | output_formats()),
        stream=stream,
        user=draw(st.just("") | names()),
    )


def _round(
    draw: st.DrawFn,
    number: int,
    offered: Sequence[Tool],
    said: st.SearchStrategy[Text],
    *,
    thinking: bool,
    cache: bool,
) -> list[Turn]:
    """The assistant's turn and, where it calls tools, their results."""
    parts: list[Part] = [*draw(st.lists(thoughts(), max_size=2))] if thinking else []
    parts += draw(st.lists(said, max_size=1))
    calls = [
        ToolCall(
            id=f"call_{number}_{place}_{draw(names())}",
            name=draw(st.sampled_from(offered)).name,
            arguments=draw(argument_texts()),
            cache=draw(cache_hints()) if cache else None,
        )
        for place in range(draw(st.integers(0, 3)) if offered else 0)
    ]
    parts += calls
    if not any(isinstance(part, Text | ToolCall) for part in parts):
        parts.append(draw(said))
    turns = [Turn(speaker=Speaker.ASSISTANT, parts=tuple(parts))]
    if calls:
        results = tuple(
            ToolResult(
                call_id=call.id,
                name=call.name,
                parts=(Text(text=draw(words())),),
                cache=draw(cache_hints()) if cache else None,
            )
            for call in calls
        )
        turns.append(Turn(speaker=Speaker.USER, parts=results))
        turns.append(Turn(speaker=Speaker.ASSISTANT, parts=(draw(said),)))
    return turns


def _choice(draw: st.DrawFn, offered: Sequence[Tool]) -> ToolChoice | None:
    if not offered:
        return None
    parallel = st.sampled_from([None, False])
    free = st.builds(
        ToolChoice, use=st.sampled_from([ToolUse.AUTO, ToolUse.NONE, ToolUse.REQUIRED]), parallel=parallel
    )
    named = st.builds(
        ToolChoice,
        use=st.just(ToolUse.NAMED),
        name=st.sampled_from([tool.name for tool in offered]),
        parallel=parallel,
    )
    return draw(st.none() | free | named)


def samplings() -> st.SearchStrategy[Sampling]:
    """What every format can say about sampling."""
    return st.builds(
        Sampling,
        max_tokens=st.integers(1, 10**5),
        temperature=st.none() | st.sampled_from([0.0, 0.25, 1.0]),
        top_p=st.none() | st.sampled_from([0.5, 0.95]),
        stop=st.lists(names(), max_size=3).map(tuple),
    )


def reasonings() -> st.SearchStrategy[Reasoning]:
    """By effort or by budget."""
    return st.builds(Reasoning, effort=st.sampled_from(Effort)) | st.builds(
        Reasoning, budget_tokens=st.integers(1024, 60_000), summary=st.sampled_from(["", "auto"])
    )


def output_formats() -> st.SearchStrategy[OutputFormat]:
    """A schema that the answer follows."""
    return st.builds(
        OutputFormat,
        kind=st.just(OutputKind.SCHEMA),
        name=names(),
        schema=json_objects().map(lambda properties: {"type": "object", "properties": properties}),
        strict=st.just(True),
    )


@st.composite
def token_counts(draw: st.DrawFn) -> TokenCount:
    """Counts of which the parts are no larger than the wholes."""
    fresh, read, written, long, shown, thought = (draw(_COUNT) for _ in range(6))
    return TokenCount(
        input=fresh + read + written,
        output=shown + thought,
        cache_read=read,
        cache_write=written,
        cache_write_1h=min(long, written),
        reasoning=thought,
    )


@st.composite
def choices(draw: st.DrawFn, *, thinking: bool = True, number: int = 0) -> Choice:
    """One answer: thoughts, words, calls, in this order and at least one of the last two."""
    parts: list[Text | Media | Thinking | ToolCall] = []
    if thinking:
        parts += draw(st.lists(thoughts(), max_size=2))
    parts += draw(st.lists(texts(cache=False), max_size=1))
    calls = [
        ToolCall(
            id=f"call_{number}_{place}_{draw(names())}",
            name=draw(names()),
            arguments=draw(argument_texts()),
        )
        for place in range(draw(st.integers(0, 3)))
    ]
    parts += calls
    if not any(isinstance(part, Text | ToolCall) for part in parts):
        parts.append(draw(texts(cache=False)))
    finish = (
        Finish.TOOL_CALLS if calls else draw(st.sampled_from([Finish.STOP, Finish.LENGTH, Finish.FILTERED]))
    )
    return Choice(parts=tuple(parts), finish=finish)


@st.composite
def replies(draw: st.DrawFn, *, thinking: bool = True, most: int = 1) -> Reply:
    """A whole answer with up to `most` choices."""
    return Reply(
        id=draw(names()),
        model=draw(names()),
        choices=tuple(
            draw(choices(thinking=thinking, number=number)) for number in range(draw(st.integers(1, most)))
        ),
        usage=draw(token_counts()),
        created=draw(st.integers(1, 2**33)),
    )


@st.composite
def streams(draw: st.DrawFn, *, thinking: bool = True, overlapping: bool = False) -> tuple[StreamEvent, ...]:
    """An answer of one choice as events, in pieces of any size. `overlapping` lets tool calls arrive interleaved."""
    reply = draw(replies(thinking=thinking))
    (choice,) = reply.choices
    sequences = [_streamed(draw, number, part) for number, part in enumerate(choice.parts)]
    first_call = sum(not isinstance(part, ToolCall) for part in choice.parts)
    events: list[StreamEvent] = [Started(id=reply.id, model=reply.model, created=reply.created)]
    events += [event for sequence in sequences[:first_call] for event in sequence]
    calls = sequences[first_call:]
    if overlapping:
        events += _interleaved(draw, calls)
    else:
        events += [event for sequence in calls for event in sequence]
    return (*events, ChoiceEnded(finish=choice.finish), UsageKnown(usage=reply.usage), Ended())


def _interleaved(draw: st.DrawFn, calls: list[list[StreamEvent]]) -> list[StreamEvent]:
    """Parts begin in their order; what follows of them comes in any."""
    events: list[StreamEvent] = []
    left = [list(sequence) for sequence in calls]
    begun = 0
    while any(left):
        ready = [place for place, sequence in enumerate(left) if sequence and place <= begun]
        place = draw(st.sampled_from(ready))
        begun = max(begun, place + 1)
        events.append(left[place].pop(0))
    return events


def _streamed(draw: st.DrawFn, number: int, part: object) -> list[StreamEvent]:
    match part:
        case Text():
            kind = PartKind.REFUSAL if part.refusal else PartKind.TEXT
            begin = PartStarted(part=number, kind=kind)
            return [begin, *_deltas(draw, number, part.text), PartEnded(part=number)]
        case Thinking():
            events: list[StreamEvent] = [PartStarted(part=number, kind=PartKind.THINKING)]
            events += _deltas(draw, number, part.text)
            events.append(PartSigned(part=number, signature=part.signature, sealed=part.sealed, id=part.id))
            return [*events, PartEnded(part=number)]
        case ToolCall():
            begin = PartStarted(part=number, kind=PartKind.TOOL_CALL, call_id=part.id, name=part.name)
            return [begin, *_deltas(draw, number, part.arguments), PartEnded(part=number)]
    raise AssertionError(part)


def _deltas(draw: st.DrawFn, number: int, text: str) -> list[StreamEvent]:
    return [PartDelta(part=number, text=piece) for piece in pieces(draw, text)]


def pieces(draw: st.DrawFn, text: str) -> list[str]:
    """`text`, cut anywhere; no piece is empty."""
    cuts = sorted({0, len(text), *draw(st.lists(st.integers(0, len(text)), max_size=4))})
    return [text[start:end] for start, end in pairwise(cuts)]


@st.composite
def chunkings(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """`data` as a network may deliver it."""
    cuts = sorted({0, len(data), *draw(st.lists(st.integers(0, len(data)), max_size=12))})
    return [data[start:end] for start, end in pairwise(cuts)]


def written(sink: StreamSink, events: Iterable[StreamEvent]) -> bytes:
    """What the sink makes of all events."""
    return b"".join(sink.write(event) for event in events)


def read(source: StreamSource, chunks: Iterable[bytes]) -> tuple[StreamEvent, ...]:
    """What the source makes of all chunks and of their end."""
    events = [event for chunk in chunks for event in source.feed(chunk)]
    return (*events, *source.finish())


def merged(conversation: Conversation) -> Conversation:
    """The same with neighbouring turns of one speaker as one turn."""
    turns: list[Turn] = []
    for turn in conversation.turns:
        if turns and turns[-1].speaker is turn.speaker:
            turns[-1] = replace(turn, parts=turns[-1].parts + turn.parts)
        else:
            turns.append(turn)
    return replace(conversation, turns=tuple(turns))


def folded(events: Iterable[StreamEvent]) -> Reply:
    """The answer that the events tell. Fails where they break the order that `model.conversation` asks for."""
    started = Started()
    usage = NO_COUNT
    parts: dict[tuple[int, int], Text | Media | Thinking | ToolCall] = {}
    open_parts: dict[tuple[int, int], PartKind] = {}
    ended: dict[int, ChoiceEnded] = {}
    for place, event in enumerate(events):
        match event:
            case Started():
                assert place == 0, "a stream starts once, at its start"
                started = event
                usage = usage.merged(event.usage)
            case PartStarted():
                assert event.choice not in ended
                assert event.part == sum(choice == event.choice for choice, _ in parts)
                others = [kind for (choice, _), kind in open_parts.items() if choice == event.choice]
                assert not others or {*others, event.kind} == {PartKind.TOOL_CALL}, "only calls overlap"
                open_parts[event.choice, event.part] = event.kind
                parts[event.choice, event.part] = _begun(event)
            case PartDelta() | PartSigned():
                key = (event.choice, event.part)
                assert key in open_parts
                parts[key] = _grown(parts[key], event)
            case PartEnded():
                del open_parts[event.choice, event.part]
            case ChoiceEnded():
                assert not [choice for choice, _ in open_parts if choice == event.choice]
                assert event.choice not in ended
                ended[event.choice] = event
            case UsageKnown():
                usage = usage.merged(event.usage)
            case Ended():
                assert not open_parts
            case StreamFailed():
                pass
    answers = tuple(
        Choice(
            parts=tuple(_filled(part) for (choice, _), part in parts.items() if choice == number),
            finish=end.finish,
            stop_sequence=end.stop_sequence,
        )
        for number, end in sorted(ended.items())
    )
    return Reply(id=started.id, model=started.model, created=started.created, choices=answers, usage=usage)


def _begun(event: PartStarted) -> Text | Thinking | ToolCall:
    match event.kind:
        case PartKind.TOOL_CALL:
            return ToolCall(id=event.call_id, name=event.name, arguments="")
        case PartKind.THINKING:
            return Thinking()
        case _:
            return Text(text="", refusal=event.kind is PartKind.REFUSAL)


def _grown(
    part: Text | Media | Thinking | ToolCall, event: PartDelta | PartSigned
) -> Text | Media | Thinking | ToolCall:
    match part, event:
        case ((Text() | Thinking()), PartDelta()):
            return replace(part, text=part.text + event.text)
        case ToolCall(), PartDelta():
            return replace(part, arguments=part.arguments + event.text)
        case Thinking(), PartSigned():
            return replace(
                part,
                signature=event.signature or part.signature,
                sealed=event.sealed or part.sealed,
                id=event.id or part.id,
            )
        case ToolCall(), PartSigned():
            return replace(part, signature=event.signature)
    raise AssertionError((part, event))


def _filled(part: Text | Media | Thinking | ToolCall) -> Text | Media | Thinking | ToolCall:
    return replace(part, arguments=part.arguments or "{}") if isinstance(part, ToolCall) else part

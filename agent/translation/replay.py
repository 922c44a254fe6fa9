"""A whole answer as the stream it could have been: for who asked to be streamed what is already known."""

from __future__ import annotations

from collections.abc import Iterator

from agent.errors import ContentError
from agent.model.conversation import (
    NO_COUNT,
    Choice,
    ChoiceEnded,
    Ended,
    Media,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    Text,
    Thinking,
    TokenLogprob,
    ToolCall,
    UsageKnown,
)

PIECE = 4096
"""Characters of one delta: no event outgrows what clients and inspectors take at once."""


def streamable(reply: Reply) -> bool:
    """Whether the events of a stream can say all of `reply`. They have no word for pictures and sounds."""
    return not any(isinstance(part, Media) for choice in reply.choices for part in choice.parts)


def events_of(reply: Reply) -> Iterator[StreamEvent]:
    """The stream that says `reply`. Raises ContentError before the first event where it is not `streamable`."""
    if not streamable(reply):
        raise ContentError(
            "the answer holds media, which a stream cannot carry", hint="Ask for it without streaming."
        )
    return _events(reply)


def _events(reply: Reply) -> Iterator[StreamEvent]:
    yield Started(id=reply.id, model=reply.model, created=reply.created)
    for number, choice in enumerate(reply.choices):
        yield from _choice(number, choice)
    if reply.usage != NO_COUNT:
        yield UsageKnown(usage=reply.usage)
    yield Ended()


def _choice(number: int, choice: Choice) -> Iterator[StreamEvent]:
    logprobs = choice.logprobs
    for place, part in enumerate(choice.parts):
        match part:
            case Text():
                kind = PartKind.REFUSAL if part.refusal else PartKind.TEXT
                yield PartStarted(part=place, choice=number, kind=kind)
                yield from _deltas(number, place, part.text, logprobs)
                logprobs = ()  # all of them went with the first text
            case Thinking():
                yield PartStarted(part=place, choice=number, kind=PartKind.THINKING)
                yield from _deltas(number, place, part.text)
                if part.signature or part.sealed or part.id:
                    yield PartSigned(
                        part=place,
                        choice=number,
                        signature=part.signature,
                        sealed=part.sealed,
                        id=part.id,
                    )
            case ToolCall():
                yield PartStarted(
                    part=place, choice=number, kind=PartKind.TOOL_CALL, call_id=part.id, name=part.name
                )
                yield from _deltas(number, place, part.arguments)
                if part.signature:
                    yield PartSigned(part=place, choice=number, signature=part.signature)
            case _:
                continue  # media: refused above
        yield PartEnded(part=place, choice=number)
    yield ChoiceEnded(choice=number, finish=choice.finish, stop_sequence=choice.stop_sequence)


def _deltas(
    choice: int, part: int, text: str, logprobs: tuple[TokenLogprob, ...] = ()
) -> Iterator[StreamEvent]:
    for start in range(0, len(text), PIECE):
        yield PartDelta(part=part, choice=choice, text=text[start : start + PIECE], logprobs=logprobs)
        logprobs = ()
    if not text and logprobs:
        yield PartDelta(part=part, choice=choice, text="", logprobs=logprobs)

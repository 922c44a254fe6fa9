"""A stream as the whole answer it says: the way back of `replay`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.model.conversation import (
    NO_COUNT,
    Choice,
    ChoiceEnded,
    Ended,
    Finish,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Reply,
    Started,
    StreamEvent,
    StreamFailed,
    Text,
    Thinking,
    TokenCount,
    TokenLogprob,
    ToolCall,
    UsageKnown,
)


@dataclass(slots=True)
class _Part:
    kind: PartKind
    call_id: str = ""
    name: str = ""
    texts: list[str] = field(default_factory=list)
    signature: str = ""
    sealed: str = ""
    id: str = ""

    def whole(self) -> Text | Thinking | ToolCall:
        text = "".join(self.texts)
        match self.kind:
            case PartKind.TOOL_CALL:
                return ToolCall(
                    id=self.call_id, name=self.name, arguments=text or "{}", signature=self.signature
                )
            case PartKind.THINKING:
                return Thinking(text=text, signature=self.signature, sealed=self.sealed, id=self.id)
            case _:
                return Text(text=text, refusal=self.kind is PartKind.REFUSAL)


@dataclass(slots=True)
class _Choice:
    parts: dict[int, _Part] = field(default_factory=dict)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    finish: Finish | None = None
    stop_sequence: str = ""

    def whole(self, finish: Finish) -> Choice:
        return Choice(
            parts=tuple(self.parts[number].whole() for number in sorted(self.parts)),
            finish=finish,
            stop_sequence=self.stop_sequence,
            logprobs=tuple(self.logprobs),
        )


class Gathering:
    """Takes the events of one stream as they pass; `reply` is what they said, once they have said it all."""

    def __init__(self) -> None:
        self._started = Started()
        self._choices: dict[int, _Choice] = {}
        self._usage: TokenCount = NO_COUNT
        self._ended = False
        self._broken = False

    def add(self, event: StreamEvent) -> None:
        """The next event. One that fits nothing before it makes the stream one without a reply."""
        match event:
            case Started():
                self._started = event
                self._usage = self._usage.merged(event.usage)
            case PartStarted() | PartDelta() | PartSigned() | PartEnded():
                self._part(event)
            case ChoiceEnded():
                choice = self._choices.setdefault(event.choice, _Choice())
                choice.finish, choice.stop_sequence = event.finish, event.stop_sequence
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case StreamFailed():
                self._broken = True
            case Ended():
                self._ended = True

    def reply(self) -> Reply | None:
        """The answer; None where the stream failed, broke off, or has not ended yet."""
        if self._broken or not self._ended or not self._choices:
            return None
        choices: list[Choice] = []
        for number in sorted(self._choices):
            choice = self._choices[number]
            if choice.finish is None:
                return None
            choices.append(choice.whole(choice.finish))
        return Reply(
            id=self._started.id,
            model=self._started.model,
            created=self._started.created,
            choices=tuple(choices),
            usage=self._usage,
        )

    def _part(self, event: PartStarted | PartDelta | PartSigned | PartEnded) -> None:
        choice = self._choices.setdefault(event.choice, _Choice())
        if isinstance(event, PartStarted):
            choice.parts[event.part] = _Part(event.kind, event.call_id, event.name)
            return
        part = choice.parts.get(event.part)
        if part is None:
            self._broken = True
        elif isinstance(event, PartDelta):
            part.texts.append(event.text)
            choice.logprobs += event.logprobs
        elif isinstance(event, PartSigned):
            part.signature += event.signature
            part.sealed += event.sealed
            part.id = event.id or part.id


def reply_of(events: Iterable[StreamEvent]) -> Reply | None:
    """What `events` say together; None where they are not a whole answer."""
    gathering = Gathering()
    for event in events:
        gathering.add(event)
    return gathering.reply()

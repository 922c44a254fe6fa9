"""Reads and writes ConverseStream's events, which come as messages of `dialects.eventstream`.

Only a tool's block is opened by an event of its own; other blocks begin with their first delta. `messageStop` tells
why, `metadata` the usage, and after that the body ends. Source: the service model `bedrock-runtime` 2023-09-30, shape
ConverseStreamOutput.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from agent.dialects.eventstream import Message, MessageDecoder, exception
from agent.dialects.eventstream import event as encode_event
from agent.dialects.shapes import integer, mapping, string
from agent.model.conversation import (
    NO_COUNT,
    ChoiceEnded,
    Ended,
    PartDelta,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    UsageKnown,
)
from agent.translation import seals
from agent.translation.bedrock_converse.answers import (
    finish_of,
    read_usage,
    reason_for,
    stop_sequence_in,
    write_usage,
)
from agent.translation.bedrock_converse.thoughts import is_base64, wrapped

_STATUS: Mapping[str, int] = {  # of the exceptions' shapes
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "modelTimeoutException": 408,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}
_EXCEPTIONS = {status: name for name, status in _STATUS.items()} | {529: "serviceUnavailableException"}


@dataclass(slots=True)
class _Block:
    """An open block: its number among the parts that are told, what kind it is, what seals it."""

    part: int
    kind: PartKind
    signature: str = ""
    sealed: bytes = b""

    def signed(self) -> PartSigned:
        """What seals it; what we wrapped up for a client is unwrapped, in case that client is a gateway."""
        sealed = b64encode(self.sealed).decode()
        if seal := seals.read64(sealed):
            return PartSigned(part=self.part, signature=seal.signature, sealed=seal.sealed, id=seal.id)
        return PartSigned(part=self.part, signature=self.signature, sealed=sealed)


class ConverseSource:
    """Reads one stream."""

    def __init__(self) -> None:
        self._decoder = MessageDecoder()
        self._blocks: dict[int | None, _Block] = {}
        self._parts = 0
        self._stopped = False
        self._over = False

    def feed(self, data: bytes) -> tuple[StreamEvent, ...]:
        """The events that `data` completes."""
        return tuple(event for message in self._decoder.feed(data) for event in self._read(message))

    def finish(self) -> tuple[StreamEvent, ...]:
        """The end, where the usage that is last did not come."""
        return self._end() if self._stopped and not self._over else ()

    def _read(self, message: Message) -> list[StreamEvent] | tuple[StreamEvent, ...]:
        try:
            content = mapping(orjson.loads(message.payload))
        except orjson.JSONDecodeError:
            content = {}
        if message.kind in ("exception", "error"):
            return self._fail(message, content)
        index = integer(content.get("contentBlockIndex"))
        match message.name:
            case "messageStart":
                return [Started()]
            case "contentBlockStart":
                return self._start(index, mapping(content.get("start")))
            case "contentBlockDelta":
                return self._delta(index, mapping(content.get("delta")))
            case "contentBlockStop":
                return self._stop(index)
            case "messageStop":
                return self._stop_message(content)
            case "metadata":
                return (UsageKnown(usage=read_usage(content.get("usage"))), *self._end())
        return []

    def _fail(self, message: Message, content: Mapping[str, object]) -> list[StreamEvent]:
        self._over = True
        said = (
            content.get("message") or content.get("originalMessage") or message.headers.get(":error-message")
        )
        status = _STATUS.get(message.name, 0)
        return [StreamFailed(message=string(said) or message.name, kind=message.name, status=status)]

    def _end(self) -> tuple[StreamEvent, ...]:
        self._over = True
        return (Ended(),)

    def _start(self, index: int | None, start: Mapping[str, object]) -> list[StreamEvent]:
        tool = mapping(start.get("toolUse"))
        if not tool or tool.get("type") == "server_tool_use":
            return []
        block = _Block(self._parts, PartKind.TOOL_CALL)
        self._parts += 1
        self._blocks[index] = block
        return [
            PartStarted(
                part=block.part,
                kind=block.kind,
                call_id=string(tool.get("toolUseId")),
                name=string(tool.get("name")),
            )
        ]

    def _delta(self, index: int | None, delta: Mapping[str, object]) -> list[StreamEvent]:
        match delta:
            case {"text": str() as text}:
                return self._grow(index, PartKind.TEXT, text)
            case {"toolUse": {"input": str() as text}}:
                return self._grow(index, PartKind.TOOL_CALL, text)
            case {"reasoningContent": {"text": str() as text}}:
                return self._grow(index, PartKind.THINKING, text)
            case {"reasoningContent": {"signature": str() as signature}}:
                events = self._grow(index, PartKind.THINKING, "")
                self._blocks[index].signature += signature
                return events
            case {"reasoningContent": {"redactedContent": str() as sealed}} if is_base64(sealed):
                events = self._grow(index, PartKind.THINKING, "")
                self._blocks[index].sealed += b64decode(sealed)
                return events
        return []  # a citation, an image, a server tool's result

    def _grow(self, index: int | None, kind: PartKind, text: str) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        block = self._blocks.get(index)
        if block is None or block.kind is not kind:
            if kind is PartKind.TOOL_CALL:  # of a call that was not told
                return []
            events += self._stop(index)
            block = self._blocks[index] = _Block(self._parts, kind)
            self._parts += 1
            events.append(PartStarted(part=block.part, kind=kind))
        if text:
            events.append(PartDelta(part=block.part, text=text))
        return events

    def _stop(self, index: int | None) -> list[StreamEvent]:
        block = self._blocks.pop(index, None)
        if block is None:
            return []
        events: list[StreamEvent] = []
        if block.signature or block.sealed:
            events.append(block.signed())
        return [*events, PartEnded(part=block.part)]

    def _stop_message(self, content: Mapping[str, object]) -> list[StreamEvent]:
        self._stopped = True
        events = [event for index in list(self._blocks) for event in self._stop(index)]
        return [
            *events,
            ChoiceEnded(
                finish=finish_of(content.get("stopReason")),
                stop_sequence=stop_sequence_in(content.get("additionalModelResponseFields")),
            ),
        ]


class ConverseSink:
    """Writes one stream: its first choice, as Converse knows no others."""

    def __init__(self) -> None:
        self._usage = NO_COUNT
        self._blocks: dict[int, _Written] = {}  # by part
        self._begun = 0

    def write(self, event: StreamEvent) -> bytes:
        """The messages that say it."""
        if getattr(event, "choice", 0):
            return b""
        match event:
            case PartDelta():
                return self._delta(event)
            case PartStarted():
                return self._start(event)
            case PartSigned():
                return self._sign(event)
            case PartEnded():
                block = self._blocks.pop(event.part)
                return _told("contentBlockStop", {"contentBlockIndex": block.index})
            case ChoiceEnded():
                return _stop(event)
            case StreamFailed():
                name = _EXCEPTIONS.get(event.status, "internalServerException")
                return exception(name, orjson.dumps({"message": event.message}))
            case _:
                return self._frame(event)

    def _frame(self, event: StreamEvent) -> bytes:
        """What stands around the parts. Usage comes last, however early it is known."""
        match event:
            case Started():
                self._usage = self._usage.merged(event.usage)
                return _told("messageStart", {"role": "assistant"})
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case Ended() if self._usage != NO_COUNT:
                return _told("metadata", {"usage": write_usage(self._usage), "metrics": {"latencyMs": 0}})
        return b""

    def _start(self, event: PartStarted) -> bytes:
        block = self._blocks[event.part] = _Written(self._next(), event.kind)
        if event.kind is not PartKind.TOOL_CALL:
            return b""
        start = {"toolUse": {"toolUseId": event.call_id, "name": event.name}}
        return _told("contentBlockStart", {"start": start, "contentBlockIndex": block.index})

    def _next(self) -> int:
        self._begun += 1
        return self._begun - 1

    def _delta(self, event: PartDelta) -> bytes:
        block = self._blocks[event.part]
        block.said = True
        match block.kind:
            case PartKind.TOOL_CALL:
                return block.delta({"toolUse": {"input": event.text}})
            case PartKind.THINKING:
                return block.delta({"reasoningContent": {"text": event.text}})
            case _:
                return block.delta({"text": event.text})

    def _sign(self, event: PartSigned) -> bytes:
        """A signature belongs to the words before it; a seal is a block of its own."""
        block = self._blocks[event.part]
        if block.kind is not PartKind.THINKING:
            return b""
        written = b""
        if event.signature:
            block.said = True
            written = block.delta({"reasoningContent": {"signature": event.signature}})
        if event.sealed:
            if block.said:
                written += _told("contentBlockStop", {"contentBlockIndex": block.index})
                block.index = self._next()
            sealed = wrapped(event.sealed, event.id)
            written += block.delta({"reasoningContent": {"redactedContent": sealed}})
        return written


@dataclass(slots=True)
class _Written:
    """An open block: its index, and whether anything was said in it."""

    index: int
    kind: PartKind
    said: bool = False

    def delta(self, content: dict[str, object]) -> bytes:
        return _told("contentBlockDelta", {"delta": content, "contentBlockIndex": self.index})


def _stop(event: ChoiceEnded) -> bytes:
    content: dict[str, object] = {"stopReason": reason_for(event.finish)}
    if event.stop_sequence:
        content["additionalModelResponseFields"] = {"stop_sequence": event.stop_sequence}
    return _told("messageStop", content)


def _told(name: str, content: dict[str, object]) -> bytes:
    return encode_event(name, orjson.dumps(content))

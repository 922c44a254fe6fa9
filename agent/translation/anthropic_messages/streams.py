"""A stream of Messages events, read.

Blocks of server tools and kinds that are not known are left out; the others are numbered anew, without gaps.
"""

from __future__ import annotations

import orjson

from agent.dialects.shapes import integer, mapping, string
from agent.dialects.sse import SseEvent
from agent.errors import ContentError
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    PartEnded,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    UsageKnown,
)
from agent.translation.anthropic_messages.blocks import read_seal
from agent.translation.anthropic_messages.endings import read_finish, read_usage, status_of
from agent.translation.documents import json_text
from agent.translation.fields import Document
from agent.translation.moulds import new_delta
from agent.translation.sources import StrictSource

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_KINDS = {"text_delta": PartKind.TEXT, "thinking_delta": PartKind.THINKING}


class MessagesSource(StrictSource):
    """A `base.StreamSource` for Messages events."""

    __slots__ = ("_blocks", "_ended", "_next", "_usage")

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int | None, _Block] = {}  # open ones, by the API's index
        self._next = 0  # the next part's number
        self._usage: Document = {}  # as told so far; counts are cumulative and come in parts
        self._ended = False

    def finish(self) -> tuple[StreamEvent, ...]:
        """The rest. The format says its own end; a stream without it broke off."""
        return tuple(self._rest() or ())

    def _read(self, sse: SseEvent, events: list[StreamEvent]) -> None:
        try:
            document = orjson.loads(sse.data)
        except orjson.JSONDecodeError:
            raise ContentError("a Messages event that is not JSON") from None
        if type(document) is not dict:
            raise ContentError("a Messages event that is not an object")
        kind = document.get("type") or sse.event
        if kind == "content_block_delta":
            self._read_delta(document, events)
            return
        match kind:
            case "message_start":
                self._start(mapping(document.get("message")), events)
            case "content_block_start":
                self._begin(integer(document.get("index")), mapping(document.get("content_block")), events)
            case "content_block_stop":
                self._end_block(integer(document.get("index")), events)
            case "message_delta":
                self._read_message_delta(document, events)
            case "message_stop":
                self._over = True
                self._end_choice({}, events)
                events.append(Ended())
            case "error":
                self._over = True
                error = mapping(document.get("error"))
                word = string(error.get("type"))
                failed = StreamFailed(message=string(error.get("message")), kind=word, status=status_of(word))
                events.append(failed)

    def _start(self, message: Document, events: list[StreamEvent]) -> None:
        self._usage = {**mapping(message.get("usage"))}
        events.append(
            Started(
                id=string(message.get("id")),
                model=string(message.get("model")),
                usage=read_usage(self._usage),
            )
        )

    def _begin(self, index: int | None, block: Document, events: list[StreamEvent]) -> None:
        match block.get("type"):
            case "text":
                self._open(index, PartKind.TEXT, events, text=string(block.get("text")))
            case "thinking":
                self._open(index, PartKind.THINKING, events, text=string(block.get("thinking")))
                self._sign(index, block, events)
            case "redacted_thinking":
                part = self._open(index, PartKind.THINKING, events).part
                seal = read_seal(string(block.get("data")))
                events.append(PartSigned(part=part, sealed=seal.sealed, id=seal.id))
            case "tool_use":
                call_id, name = string(block.get("id")), string(block.get("name"))
                opened = self._open(index, PartKind.TOOL_CALL, events, call_id=call_id, name=name)
                if whole := block.get("input"):  # of servers that do not stream it
                    opened.waiting = json_text(whole)

    def _open(
        self,
        index: int | None,
        kind: PartKind,
        events: list[StreamEvent],
        *,
        text: str = "",
        call_id: str = "",
        name: str = "",
    ) -> _Block:
        block = self._blocks[index] = _Block(self._next, kind)
        self._next += 1
        events.append(PartStarted(part=block.part, kind=kind, call_id=call_id, name=name))
        if text:
            events.append(new_delta(block.part, text))
        return block

    def _read_delta(self, document: Document, events: list[StreamEvent]) -> None:
        index = integer(document.get("index"))
        block = self._blocks.get(index)
        delta = document.get("delta")
        if block is None or type(delta) is not dict:
            return
        kind = string(delta.get("type"))
        field = _TEXTS.get(kind)
        if field is None:
            if kind == "signature_delta":
                self._sign(index, delta, events)
            return
        meant = _KINDS.get(kind, PartKind.TOOL_CALL)
        if meant is not block.kind:
            if PartKind.TOOL_CALL in (meant, block.kind):
                return
            self._end_block(index, events)  # some servers think within a block of text
            block = self._open(index, meant, events)
        text = delta.get(field)
        if text and type(text) is str:
            block.waiting = ""
            events.append(new_delta(block.part, text))

    def _sign(self, index: int | None, holder: Document, events: list[StreamEvent]) -> None:
        signature = string(holder.get("signature"))
        block = self._blocks[index]
        if signature and block.kind is PartKind.THINKING:
            events.append(PartSigned(part=block.part, signature=signature))

    def _end_block(self, index: int | None, events: list[StreamEvent]) -> None:
        block = self._blocks.pop(index, None)
        if block is None:
            return
        if block.waiting:
            events.append(new_delta(block.part, block.waiting))
        events.append(PartEnded(part=block.part))

    def _read_message_delta(self, document: Document, events: list[StreamEvent]) -> None:
        delta = mapping(document.get("delta"))
        if delta.get("stop_reason") is not None:
            self._end_choice(delta, events)
        usage = mapping(document.get("usage"))
        if usage:
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            events.append(UsageKnown(usage=read_usage(self._usage)))

    def _end_choice(self, delta: Document, events: list[StreamEvent]) -> None:
        if self._ended:
            return
        self._ended = True
        for index in tuple(self._blocks):
            self._end_block(index, events)
        events.append(
            ChoiceEnded(
                finish=read_finish(delta.get("stop_reason")),
                stop_sequence=string(delta.get("stop_sequence")),
            )
        )


class _Block:
    """An open block."""

    __slots__ = ("kind", "part", "waiting")

    def __init__(self, part: int, kind: PartKind) -> None:
        self.part = part
        self.kind = kind
        self.waiting = ""  # a call's input, told whole at the start

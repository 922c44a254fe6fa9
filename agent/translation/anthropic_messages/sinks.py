"""A stream of Messages events, written.

The format has one block open at a time: where tool calls overlap, the later ones wait until the earlier have ended.
"""

from __future__ import annotations

import orjson

from agent.errors import ContentError
from agent.model.conversation import (
    NO_COUNT,
    ChoiceEnded,
    Conversation,
    Ended,
    Finish,
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
from agent.translation.anthropic_messages.blocks import write_seal
from agent.translation.anthropic_messages.endings import kind_of, write_finish, write_usage

type _OfPart = PartStarted | PartDelta | PartSigned | PartEnded

_DELTAS = {
    PartKind.TEXT: b'{"type":"text_delta","text":',
    PartKind.REFUSAL: b'{"type":"text_delta","text":',
    PartKind.THINKING: b'{"type":"thinking_delta","thinking":',
    PartKind.TOOL_CALL: b'{"type":"input_json_delta","partial_json":',
}
_FAILED = "the model's answer failed and must not be used"


class MessagesSink:
    """A `base.StreamSink` for Messages events. Choices beside the first are left out: the format has no place for
    them."""

    __slots__ = (
        "_block",
        "_called",
        "_current",
        "_delta",
        "_finish",
        "_model",
        "_opened",
        "_refused",
        "_sequence",
        "_started",
        "_usage",
        "_waiting",
    )

    def __init__(self, conversation: Conversation) -> None:
        self._model = conversation.model
        self._started = False
        self._usage = NO_COUNT
        self._finish: Finish | None = None
        self._sequence = ""
        self._refused = False
        self._called = False
        self._block = -1  # the index of the last block
        self._current: PartStarted | None = None  # the part that is being written
        self._opened = False  # whether its block is open: a thought's kind of block shows late
        self._delta = b""  # how its deltas begin
        self._waiting: dict[int, list[_OfPart]] = {}  # parts that began while another was open

    def write(self, event: StreamEvent) -> bytes:
        """The events for `event`."""
        match event:
            case PartDelta() | PartStarted() | PartSigned() | PartEnded():
                return self._take(event) if event.choice == 0 else b""
            case Started():
                return self._start(event)
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case ChoiceEnded() if event.choice == 0:
                self._finish = event.finish
                self._sequence = event.stop_sequence
            case StreamFailed():
                return _error(kind_of(event.kind, event.status), event.message)
            case Ended():
                return self._end()
        return b""

    def _start(self, event: Started) -> bytes:
        if self._started:
            return b""
        self._started = True
        self._usage = event.usage
        message: dict[str, object] = {
            "id": event.id,
            "type": "message",
            "role": "assistant",
            "model": event.model or self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(event.usage),
        }
        return _event("message_start", {"message": message})

    def _take(self, event: _OfPart) -> bytes:
        """Write an event of the current part; keep one of a part that has to wait."""
        current = self._current
        if current is not None and event.part != current.part:
            self._waiting.setdefault(event.part, []).append(event)
            return b""
        written = self._write_part(event)
        if type(event) is PartEnded:
            while self._current is None and self._waiting:
                waiting = self._waiting.pop(next(iter(self._waiting)))
                written += b"".join(self._write_part(late) for late in waiting)
        return written

    def _write_part(self, event: _OfPart) -> bytes:
        match event:
            case PartDelta():
                opening = (
                    b"" if self._opened else self._open({"type": "thinking", "thinking": "", "signature": ""})
                )
                return opening + self._delta + orjson.dumps(event.text) + b"}}\n\n"
            case PartStarted():
                return self._begin(event)
            case PartSigned():
                return self._sign(event)
            case PartEnded():
                self._current = None
                return self._close()

    def _begin(self, event: PartStarted) -> bytes:
        if not self._started:
            raise ContentError("an answer's stream that does not say its start")
        self._current = event
        match event.kind:
            case PartKind.TOOL_CALL:
                self._called = True
                call: dict[str, object] = {
                    "type": "tool_use",
                    "id": event.call_id,
                    "name": event.name,
                    "input": {},
                }
                return self._open(call)
            case PartKind.THINKING:
                return b""
        self._refused = self._refused or event.kind is PartKind.REFUSAL
        return self._open({"type": "text", "text": ""})

    def _open(self, block: dict[str, object]) -> bytes:
        self._opened = True
        self._block += 1
        kind = self._current.kind if self._current is not None else PartKind.TEXT
        self._delta = (
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":%b'
            % (self._block, _DELTAS[kind])
        )
        return _event("content_block_start", {"index": self._block, "content_block": block})

    def _close(self) -> bytes:
        if not self._opened:
            return b""
        self._opened = False
        return _event("content_block_stop", {"index": self._block})

    def _sign(self, event: PartSigned) -> bytes:
        """A thought's signature; a seal stands in a block of its own. A call's signature has no place in the format."""
        if self._current is None or self._current.kind is not PartKind.THINKING:
            return b""
        written = b""
        if event.signature:
            if not self._opened:
                written += self._open({"type": "thinking", "thinking": "", "signature": ""})
            delta = {"type": "signature_delta", "signature": event.signature}
            written += _event("content_block_delta", {"index": self._block, "delta": delta})
        if event.sealed:
            written += self._close()
            data = write_seal(event.sealed, event.id)
            written += self._open({"type": "redacted_thinking", "data": data}) + self._close()
        return written

    def _end(self) -> bytes:
        """Stop reason and usage come last, and together."""
        finish = self._finish
        if finish is None:
            finish = Finish.TOOL_CALLS if self._called else Finish.STOP
        if finish is Finish.FAILED:
            return _error("api_error", _FAILED)
        delta = {
            "stop_reason": write_finish(finish, refused=self._refused),
            "stop_sequence": self._sequence or None,
        }
        ended = {"delta": delta, "usage": write_usage(self._usage)}
        return _event("message_delta", ended) + _event("message_stop", {})


def _event(kind: str, fields: dict[str, object]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), orjson.dumps({"type": kind, **fields}))


def _error(kind: str, message: str) -> bytes:
    return _event("error", {"error": {"type": kind, "message": message}})

"""Streams, written: the hub's events become response objects in server-sent events.

A tool call is written when it is whole: the format has no pieces of arguments. A finish reason is written with the last
object alone, when the counts are known: clients stop reading at the first one.
"""

from __future__ import annotations

import orjson

from agent.model.conversation import (
    ChoiceEnded,
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
    Thinking,
    TokenCount,
    ToolCall,
    UsageKnown,
)
from agent.translation.gemini_generate import parts
from agent.translation.gemini_generate.parts import Fields

_OPENING = b"data: "
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    504: "DEADLINE_EXCEEDED",
}


class GeminiSink:
    """Writes one stream."""

    __slots__ = ("_broken", "_calls", "_finishes", "_id", "_kinds", "_model", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = ""
        self._kinds: dict[tuple[int, int], PartKind] = {}  # of parts, by choice and number
        self._calls: dict[tuple[int, int], _Call] = {}
        self._finishes: dict[int, Finish] = {}
        self._broken: set[int] = set()  # choices with a call that could not be written
        self._usage = TokenCount()

    def write(self, event: StreamEvent) -> bytes:
        """The object that `event` becomes, if it becomes one."""
        match event:
            case PartDelta():
                return self._write_piece(event)
            case PartSigned():
                return self._sign(event)
            case PartEnded():
                return self._end_call(event)
            case StreamFailed():
                return _failure(event)
            case Ended():
                return self._end()
        self._note(event)
        return b""

    def _note(self, event: Started | PartStarted | UsageKnown | ChoiceEnded) -> None:
        match event:
            case Started():
                self._id = event.id
                self._model = event.model or self._model
                self._usage = self._usage.merged(event.usage)
            case PartStarted():
                key = (event.choice, event.part)
                self._kinds[key] = event.kind
                if event.kind is PartKind.TOOL_CALL:
                    self._calls[key] = _Call(event.call_id, event.name)
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case ChoiceEnded():
                self._finishes[event.choice] = event.finish

    def _write_piece(self, event: PartDelta) -> bytes:
        key = (event.choice, event.part)
        kind = self._kinds.get(key)
        if kind is PartKind.TOOL_CALL:
            self._calls[key].pieces.append(event.text)
            return b""
        if kind is None or not event.text:
            return b""
        part: Fields = {"text": event.text}
        if kind is PartKind.THINKING:
            part["thought"] = True
        candidate: Fields = {"content": {"role": "model", "parts": [part]}, "index": event.choice}
        if event.logprobs:
            candidate["logprobsResult"] = parts.logprobs_of(event.logprobs)
        return self._answer([candidate])

    def _sign(self, event: PartSigned) -> bytes:
        key = (event.choice, event.part)
        kind = self._kinds.get(key)
        if kind is PartKind.TOOL_CALL:
            self._calls[key].signature = event.signature
        elif kind is PartKind.THINKING:
            seal = Thinking(text="", signature=event.signature, sealed=event.sealed, id=event.id)
            return self._part(event.choice, parts.thought(seal))
        return b""

    def _end_call(self, event: PartEnded) -> bytes:
        """A call whose arguments are no object cannot be written, and the tool must not be called without them: the
        choice will say that its call was malformed."""
        call = self._calls.pop((event.choice, event.part), None)
        if call is None:
            return b""
        arguments = parts.read_arguments("".join(call.pieces))
        if arguments is None:
            self._broken.add(event.choice)
            return b""
        return self._part(
            event.choice,
            parts.call(ToolCall(id=call.id, name=call.name, signature=call.signature), arguments),
        )

    def _part(self, choice: int, part: Fields) -> bytes:
        return self._answer([{"content": {"role": "model", "parts": [part]}, "index": choice}])

    def _end(self) -> bytes:
        candidates: list[Fields] = [
            {
                "content": {"role": "model", "parts": [{"text": ""}]},  # SDKs look for parts in every object
                "finishReason": parts.finish_of(finish, broken=choice in self._broken),
                "index": choice,
            }
            for choice, finish in sorted(self._finishes.items())
        ]
        return self._answer(candidates, parts.usage_of(self._usage))

    def _answer(self, candidates: list[Fields], usage: Fields | None = None) -> bytes:
        answer: Fields = {"candidates": candidates}
        if usage:
            answer["usageMetadata"] = usage
        answer["modelVersion"] = self._model
        answer["responseId"] = self._id
        return _framed(answer)


class _Call:
    """A tool call under way."""

    __slots__ = ("id", "name", "pieces", "signature")

    def __init__(self, id: str, name: str) -> None:  # noqa: A002
        self.id = id
        self.name = name
        self.pieces: list[str] = []
        self.signature = ""


def _failure(event: StreamFailed) -> bytes:
    code = event.status or 500
    status = _STATUS.get(code, "UNAVAILABLE" if code >= 500 else "INVALID_ARGUMENT")
    return _framed({"error": {"code": code, "message": event.message, "status": status}})


def _framed(document: Fields) -> bytes:
    return _OPENING + orjson.dumps(document) + b"\n\n"

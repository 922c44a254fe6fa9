"""Streams, written: the hub's events become `response.*` events.

Clients put the answer together twice: from the pieces, and from the whole values that follow them (`*.done`, the last
event's response). Both say the same here. Ids never change between an item's first and last event, and sequence
numbers have no gaps.
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
    Text,
    TokenCount,
    ToolCall,
    UsageKnown,
)
from agent.translation import seals
from agent.translation.openai_responses import items
from agent.translation.openai_responses.answers import response_id
from agent.translation.seals import Seal

type _Object = dict[str, object]

_PIECES = {  # the events that bring more of a part, and the name its place has in them
    PartKind.TEXT: ("response.output_text.delta", "content_index"),
    PartKind.REFUSAL: ("response.refusal.delta", "content_index"),
    PartKind.THINKING: ("response.reasoning_summary_text.delta", "summary_index"),
    PartKind.TOOL_CALL: ("response.function_call_arguments.delta", ""),
}
_CODES = {  # what an unfinished stream's error is called here, by HTTP status
    400: "invalid_prompt",
    429: "rate_limit_exceeded",
}
_FINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


class ResponsesSink:
    """Writes one stream."""

    __slots__ = (
        "_created",
        "_finish",
        "_id",
        "_message",
        "_model",
        "_number",
        "_output",
        "_over",
        "_parts",
        "_started",
        "_usage",
        "_written",
    )

    def __init__(self, model: str) -> None:
        self._model = model
        self._id = ""
        self._created = 0
        self._started = False
        self._over = False
        self._number = 0
        self._output: list[_Object] = []
        self._parts: dict[int, _Part] = {}
        self._message: _Message | None = None  # the one under way
        self._finish: Finish | None = None
        self._usage = TokenCount()
        self._written: list[bytes] = []

    def write(self, event: StreamEvent) -> bytes:
        """The events that `event` becomes. Only the first choice is written: the format has one answer."""
        if self._over or getattr(event, "choice", None):
            return b""
        if type(event) is PartDelta:
            return self._write_piece(event)
        self._dispatch(event)
        written = b"".join(self._written)
        self._written.clear()
        return written

    def _dispatch(self, event: StreamEvent) -> None:
        if isinstance(event, UsageKnown):
            self._usage = self._usage.merged(event.usage)
            return
        if not self._started:
            self._start(event if isinstance(event, Started) else Started())
        match event:
            case PartStarted():
                self._start_part(event)
            case PartSigned():
                self._sign(event)
            case PartEnded():
                if part := self._parts.get(event.part):
                    self._end_part(part)
            case ChoiceEnded():
                self._finish = event.finish
                self._close()
            case StreamFailed():
                self._close()
                code = _CODES.get(event.status, "server_error")
                self._end(Finish.FAILED, {"code": code, "message": event.message})
            case Ended():
                self._end(self._finish or Finish.STOP, None)

    def _start(self, event: Started) -> None:
        self._started = True
        self._id = response_id(event.id, event.model, event.created)
        self._model = event.model or self._model
        self._created = event.created
        self._usage = self._usage.merged(event.usage)
        response = self._response(output=[])
        self._emit("response.created", {"response": response})
        self._emit("response.in_progress", {"response": response})

    def _start_part(self, event: PartStarted) -> None:
        if event.kind in (PartKind.TEXT, PartKind.REFUSAL):
            message = self._message or self._start_message()
            part = _Part(event, message.output, message.id, len(message.content))
            part.message = message
            message.content.append(_content(part))
            self._parts[event.part] = part
            self._emit("response.content_part.added", part.at(part=_content(part)))
            return
        self._close_message()
        output = len(self._output)
        if event.kind is PartKind.TOOL_CALL:
            part = _Part(event, output, f"fc_{self._id}_{output}", 0)
            item = items.call(part.item, part.call(""), "in_progress")
        else:
            part = _Part(event, output, f"rs_{self._id}_{output}", 0)
            item = items.reasoning(part.item, "", "")
        self._parts[event.part] = part
        self._output.append(item)
        self._emit("response.output_item.added", {"output_index": output, "item": item})

    def _start_message(self) -> _Message:
        output = len(self._output)
        message = self._message = _Message(output, f"msg_{self._id}_{output}")
        item = items.message(message.id, [], "in_progress")
        self._output.append(item)
        self._emit("response.output_item.added", {"output_index": output, "item": item})
        return message

    def _write_piece(self, event: PartDelta) -> bytes:
        part = self._parts.get(event.part)
        if part is None or not event.text:
            return b""
        opened = b""
        if part.kind is PartKind.THINKING and not part.pieces:
            summary = {"type": "summary_text", "text": ""}
            self._emit("response.reasoning_summary_part.added", part.at(part=summary))
            opened = self._written.pop()
        part.pieces.append(event.text)
        document: _Object = {
            "type": part.event,
            "sequence_number": self._number,
            "item_id": part.item,
            "output_index": part.output,
            "delta": event.text,
        }
        if part.place_name:
            document[part.place_name] = part.place
        if part.kind is PartKind.TEXT:
            logprobs = document["logprobs"] = items.logprobs_of(event.logprobs) if event.logprobs else []
            part.logprobs += logprobs
        self._number += 1
        return opened + part.opening + orjson.dumps(document) + b"\n\n"

    def _sign(self, event: PartSigned) -> None:
        """A thought keeps its seal until it is whole. A call has no place for a signature: an item beside it has."""
        part = self._parts.get(event.part)
        if part is None:
            return
        if part.kind is PartKind.THINKING:
            part.sealed = seals.written(Seal(signature=event.signature, sealed=event.sealed, id=event.id))
        elif part.kind is PartKind.TOOL_CALL and event.signature:
            output = len(self._output)
            sealed = items.sealed_call(part.call_id, event.signature)
            item = items.reasoning(f"rs_{self._id}_{output}", "", sealed)
            self._output.append(item)
            self._emit("response.output_item.added", {"output_index": output, "item": item})
            self._emit("response.output_item.done", {"output_index": output, "item": item})

    def _end_part(self, part: _Part) -> None:
        if part.ended:
            return
        part.ended = True
        text = "".join(part.pieces)
        match part.kind:
            case PartKind.TOOL_CALL:
                self._end_call(part, text)
            case PartKind.THINKING:
                self._end_thought(part, text)
            case _:
                self._end_text(part, text)

    def _end_call(self, part: _Part, arguments: str) -> None:
        if not arguments:  # a call without any: the pieces must add up to the whole
            arguments = "{}"
            self._emit("response.function_call_arguments.delta", part.at(delta=arguments))
        self._emit("response.function_call_arguments.done", part.at(arguments=arguments, name=part.name))
        self._finish_item(part.output, items.call(part.item, part.call(arguments), "completed"))

    def _end_thought(self, part: _Part, text: str) -> None:
        if text:
            self._emit("response.reasoning_summary_text.done", part.at(text=text))
            summary = {"type": "summary_text", "text": text}
            self._emit("response.reasoning_summary_part.done", part.at(part=summary))
        self._finish_item(part.output, items.reasoning(part.item, text, part.sealed))

    def _end_text(self, part: _Part, text: str) -> None:
        if part.kind is PartKind.REFUSAL:
            self._emit("response.refusal.done", part.at(refusal=text))
        else:
            self._emit("response.output_text.done", part.at(text=text, logprobs=part.logprobs))
        content = _content(part, text)
        self._emit("response.content_part.done", part.at(part=content))
        if part.message:
            part.message.content[part.place] = content

    def _close_message(self, status: str = "completed") -> None:
        message, self._message = self._message, None
        if message:
            for part in self._parts.values():
                if part.message is message:
                    self._end_part(part)
            self._finish_item(message.output, items.message(message.id, message.content, status))

    def _finish_item(self, output: int, item: _Object) -> None:
        self._output[output] = item
        self._emit("response.output_item.done", {"output_index": output, "item": item})

    def _close(self) -> None:
        """Whatever is still open is whole now."""
        for part in self._parts.values():
            if part.kind in (PartKind.TOOL_CALL, PartKind.THINKING):
                self._end_part(part)
        self._close_message("incomplete" if self._finish is Finish.LENGTH else "completed")

    def _end(self, finish: Finish, error: _Object | None) -> None:
        response = self._response(output=self._output, finish=finish, error=error)
        self._emit(_FINAL[str(response["status"])], {"response": response})
        self._over = True

    def _response(
        self, *, output: list[_Object], finish: Finish | None = None, error: _Object | None = None
    ) -> _Object:
        return items.response(
            id=self._id,
            model=self._model,
            created=self._created,
            output=output,
            finish=finish,
            usage=self._usage if finish else None,
            error=error,
        )

    def _emit(self, kind: str, fields: _Object) -> None:
        document = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._written.append(_opening(kind) + orjson.dumps(document) + b"\n\n")


class _Message:
    """The message under way: its place in the output and its content."""

    __slots__ = ("content", "id", "output")

    def __init__(self, output: int, id: str) -> None:  # noqa: A002
        self.output = output
        self.id = id
        self.content: list[_Object] = []


class _Part:
    """A part under way: where it stands, and what was written of it."""

    __slots__ = (
        "call_id",
        "ended",
        "event",
        "item",
        "kind",
        "logprobs",
        "message",
        "name",
        "opening",
        "output",
        "pieces",
        "place",
        "place_name",
        "sealed",
    )

    def __init__(self, event: PartStarted, output: int, item: str, place: int) -> None:
        self.kind = event.kind
        self.call_id = event.call_id
        self.name = event.name
        self.output = output
        self.item = item
        self.place = place
        self.event, self.place_name = _PIECES[event.kind]
        self.opening = _opening(self.event)
        self.pieces: list[str] = []
        self.logprobs: list[_Object] = []
        self.message: _Message | None = None  # that a text stands in
        self.sealed = ""
        self.ended = False

    def at(self, **fields: object) -> _Object:
        """The fields of an event about this part."""
        where: _Object = {"item_id": self.item, "output_index": self.output}
        if self.place_name:
            where[self.place_name] = self.place
        return where | fields

    def call(self, arguments: str) -> ToolCall:
        """The call it is, with these arguments."""
        return ToolCall(id=self.call_id, name=self.name, arguments=arguments)


def _content(part: _Part, text: str = "") -> _Object:
    return items.text_part(Text(text=text, refusal=part.kind is PartKind.REFUSAL), part.logprobs)


def _opening(kind: str) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: "

"""A stream of chat completion chunks, read.

Servers differ in what they leave out, so nothing is over before its end: a choice ends with `[DONE]` (or with the chunk
of usage, or the body), whatever `finish_reason` was said before. Gemini's endpoint says `stop` in passing.
"""

from __future__ import annotations

import orjson

from agent.dialects.shapes import integer, mapping, objects, string
from agent.dialects.sse import SseEvent
from agent.errors import ContentError
from agent.model.conversation import (
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
    TokenLogprob,
    UsageKnown,
)
from agent.translation.fields import Document
from agent.translation.moulds import new_delta
from agent.translation.openai_chat.endings import read_finish, read_logprobs, read_usage
from agent.translation.openai_chat.messages import arguments_text, call_signature
from agent.translation.openai_chat.thoughts import read_detail, words_of
from agent.translation.sources import StrictSource

_OLD = -1  # the place of the one call that `function_call` makes


class ChatSource(StrictSource):
    """A `base.StreamSource` for chat completion chunks."""

    __slots__ = ("_answer", "_choices", "_started")

    def __init__(self) -> None:
        super().__init__()
        self._answer = ""
        self._choices: dict[int, _Choice] = {}
        self._started = False

    def finish(self) -> tuple[StreamEvent, ...]:
        """The rest, and the end where the server says none but finished every choice."""
        events = self._rest()
        if events is None:
            return ()
        choices = self._choices.values()
        if not self._over and choices and all(choice.reason for choice in choices):
            self._end(events)
        return tuple(events)

    def _read(self, sse: SseEvent, events: list[StreamEvent]) -> None:
        if sse.data == b"[DONE]":
            self._end(events)
            return
        try:
            chunk = orjson.loads(sse.data)
        except orjson.JSONDecodeError:
            raise ContentError("a chat completion chunk that is not JSON") from None
        if type(chunk) is not dict:
            raise ContentError("a chat completion chunk that is not an object")
        error = chunk.get("error")
        if error or sse.event == "error":
            self._fail(error or chunk, events)
            return
        choices = chunk.get("choices")
        if not self._started and (choices or chunk.get("id")):
            self._start(chunk, events)
        if choices and type(choices) is list:
            for choice in choices:
                self._read_choice(choice, events)
        usage = chunk.get("usage")
        if usage or not choices:
            self._read_usage(chunk, usage, events)

    def _start(self, chunk: Document, events: list[StreamEvent]) -> None:
        self._started = True
        self._answer = string(chunk.get("id"))
        events.append(
            Started(
                id=self._answer,
                model=string(chunk.get("model")),
                created=integer(chunk.get("created")) or 0,
            )
        )

    def _read_choice(self, choice: object, events: list[StreamEvent]) -> None:
        if type(choice) is not dict:
            return
        number = integer(choice.get("index")) or 0
        state = self._choices.get(number)
        if state is None:
            state = self._choices[number] = _Choice(number, self._answer, events)
        state.events = events
        delta = choice.get("delta")
        logprobs = choice.get("logprobs")
        if type(delta) is dict:
            state.read(delta, read_logprobs(logprobs) if logprobs else ())
        if reason := choice.get("finish_reason"):
            state.reason = reason
            state.matched = choice.get("stop_reason")
        if usage := choice.get("usage"):  # Moonshot
            events.append(UsageKnown(usage=read_usage(usage)))

    def _read_usage(self, chunk: Document, usage: object, events: list[StreamEvent]) -> None:
        if not usage:
            usage = mapping(chunk.get("x_groq")).get("usage")  # Groq, where it was not asked for
        if not usage:
            return
        if not chunk.get("choices"):
            self._close(events)
        events.append(UsageKnown(usage=read_usage(usage)))

    def _close(self, events: list[StreamEvent]) -> None:
        """End the choices that said why they end."""
        for choice in self._choices.values():
            if choice.reason and not choice.ended:
                choice.events = events
                choice.end()

    def _end(self, events: list[StreamEvent]) -> None:
        self._over = True
        for choice in self._choices.values():
            if not choice.ended:
                choice.events = events
                choice.end()
        events.append(Ended())

    def _fail(self, error: object, events: list[StreamEvent]) -> None:
        self._over = True
        fields = mapping(error)
        code = fields.get("code")
        status = fields.get("status")
        events.append(
            StreamFailed(
                message=string(fields.get("message")) or string(error),
                kind=string(fields.get("type"))
                or string(code)
                or string(status),  # Gemini names it in `status`
                status=_status(code) or _status(status),
            )
        )


def _status(code: object) -> int:
    if type(code) is str and code.isdecimal():
        code = int(code)
    number = integer(code)
    return number if number is not None and 400 <= number < 600 else 0


class _Call:
    """A call that is being streamed. It begins when its name is known."""

    __slots__ = ("id", "part", "waiting")

    def __init__(self, call_id: str) -> None:
        self.id = call_id
        self.part = -1
        self.waiting = ""


class _Choice:
    """One choice's parts, as they come."""

    __slots__ = (
        "_answer",
        "_calls",
        "_detail",
        "_made",
        "_next",
        "_number",
        "_open",
        "_open_kind",
        "ended",
        "events",
        "matched",
        "reason",
    )

    def __init__(self, number: int, answer: str, events: list[StreamEvent]) -> None:
        self.events = events  # where what is read goes
        self.reason: object = None
        self.matched: object = None
        self.ended = False
        self._number = number
        self._answer = answer
        self._next = 0  # the next part's number
        self._made = 0  # how many calls there were
        self._open = -1  # the part of words that is open
        self._open_kind: PartKind | None = None
        self._detail: object = None  # the `index` of the thought that is open
        self._calls: dict[int, _Call] = {}  # open ones, by their place

    def read(self, delta: Document, logprobs: tuple[TokenLogprob, ...]) -> None:
        """One chunk's delta."""
        if self.ended:
            return
        content = delta.get("content")
        if len(delta) > 1 or content is None:
            self._read_others(delta)
        if content:
            if type(content) is str:
                self._say(PartKind.TEXT, content, logprobs)
            else:
                self._read_parts(content)
        elif logprobs and self._open >= 0:
            self._say(self._open_kind or PartKind.TEXT, "", logprobs)
        if refusal := delta.get("refusal"):
            self._say(PartKind.REFUSAL, string(refusal), logprobs)
        if calls := delta.get("tool_calls"):
            for place, call in objects(calls):
                self._read_call(place, call)
        if (old := delta.get("function_call")) and type(old) is dict:
            self._read_call(_OLD, {"function": old})

    def end(self) -> None:
        """The choice is over."""
        self._close()
        finish, sequence = read_finish(self.reason, calls=self._made > 0, matched=self.matched)
        self.ended = True
        self.events.append(ChoiceEnded(choice=self._number, finish=finish, stop_sequence=sequence))

    def _read_others(self, delta: Document) -> None:
        """Thoughts, which come before what is said."""
        if details := delta.get("reasoning_details"):
            for _, detail in objects(details):
                self._read_detail(detail)
        elif words := words_of(delta):
            self._say(PartKind.THINKING, words)

    def _read_detail(self, detail: Document) -> None:
        piece = read_detail(detail)
        place = detail.get("index")
        if self._open_kind is PartKind.THINKING and place != self._detail:
            self._close()
        self._detail = place
        self._begin(PartKind.THINKING)
        if piece.text:
            self.events.append(new_delta(self._open, piece.text, self._number))
        if piece.signature or piece.sealed:
            signed = PartSigned(
                part=self._open,
                choice=self._number,
                signature=piece.signature,
                sealed=piece.sealed,
                id=piece.id,
            )
            self.events.append(signed)

    def _read_parts(self, content: object) -> None:
        """Content in parts, as Mistral streams it."""
        for _, part in objects(content):
            if part.get("type") == "text":
                self._say(PartKind.TEXT, string(part.get("text")))
            elif part.get("type") == "thinking":
                for _, thought in objects(part.get("thinking")):
                    self._say(PartKind.THINKING, string(thought.get("text")))

    def _say(self, kind: PartKind, text: str, logprobs: tuple[TokenLogprob, ...] = ()) -> None:
        if not text and not logprobs:
            return
        if kind is not self._open_kind:
            self._begin(kind)
        if logprobs:
            delta = PartDelta(part=self._open, text=text, choice=self._number, logprobs=logprobs)
            self.events.append(delta)
        else:
            self.events.append(new_delta(self._open, text, self._number))

    def _begin(self, kind: PartKind) -> None:
        """Open a part of words, unless one of that kind is."""
        if kind is self._open_kind:
            return
        self._close()
        self._open_kind = kind
        self._open = self._next
        self._next += 1
        self.events.append(PartStarted(part=self._open, kind=kind, choice=self._number))

    def _close(self) -> None:
        """End all open parts."""
        if self._open >= 0:
            self.events.append(PartEnded(part=self._open, choice=self._number))
            self._open, self._open_kind = -1, None
        for call in self._calls.values():
            self._end_call(call)
        self._calls.clear()

    def _read_call(self, position: int, piece: Document) -> None:
        """A piece of a call. Gemini's endpoint sends parallel calls, whole, all at place 0: a new id there is a new
        call; Mistral's gives no place."""
        index = integer(piece.get("index"))
        place = position if index is None else index
        call_id = string(piece.get("id"))
        call = self._calls.get(place)
        if call is not None and call_id and call_id != call.id:
            self._end_call(call)
            call = None
        if call is None:
            if self._open >= 0:
                self._close()
            call = self._calls[place] = _Call(call_id or f"call_{self._answer}_{self._number}_{self._made}")
            self._made += 1
        function = mapping(piece.get("function"))
        if call.part < 0 and (name := string(function.get("name"))):
            self._begin_call(call, name)
        if text := arguments_text(function.get("arguments")):
            if call.part < 0:
                call.waiting += text
            else:
                self.events.append(new_delta(call.part, text, self._number))
        if call.part >= 0 and (signature := call_signature(piece)):
            self.events.append(PartSigned(part=call.part, choice=self._number, signature=signature))

    def _begin_call(self, call: _Call, name: str) -> None:
        call.part = self._next
        self._next += 1
        self.events.append(
            PartStarted(
                part=call.part, kind=PartKind.TOOL_CALL, choice=self._number, call_id=call.id, name=name
            )
        )
        if call.waiting:
            self.events.append(new_delta(call.part, call.waiting, self._number))

    def _end_call(self, call: _Call) -> None:
        if call.part < 0:  # it was never named
            self._begin_call(call, "")
        self.events.append(PartEnded(part=call.part, choice=self._number))

"""A stream of chat completion chunks, written."""

from __future__ import annotations

import orjson

from agent.dialects.replies import openai_error
from agent.dialects.sse import encode
from agent.errors import ContentError
from agent.model.conversation import (
    NO_COUNT,
    ChoiceEnded,
    Conversation,
    Ended,
    PartDelta,
    PartKind,
    PartSigned,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
    UsageKnown,
)
from agent.translation.openai_chat.endings import write_finish, write_logprobs, write_usage
from agent.translation.openai_chat.turns import write_signature

_DONE = b"data: [DONE]\n\n"
_ROLE = b'{"role":"assistant","content":"","refusal":null}'


class ChatSink:
    """A `base.StreamSink` for chat completion chunks: the role first, then deltas, the finish reason, usage where the
    client asked for it, `[DONE]`."""

    __slots__ = ("_calls", "_head", "_model", "_parts", "_roles", "_tail", "_usage", "_wants_usage")

    def __init__(self, conversation: Conversation) -> None:
        self._model = conversation.model
        self._wants_usage = conversation.usage_in_stream
        self._tail = b',"usage":null}\n\n' if self._wants_usage else b"}\n\n"
        self._head = b""
        self._roles: set[int] = set()  # the choices that have begun
        self._calls: dict[int, int] = {}  # by choice, how many calls it has
        self._parts: dict[tuple[int, int], tuple[PartKind, bytes, int]] = {}
        self._usage = NO_COUNT

    def write(self, event: StreamEvent) -> bytes:
        """The chunks for `event`."""
        if type(event) is PartDelta:
            return self._write_delta(event)
        match event:
            case Started():
                return self._start(event)
            case PartStarted():
                return self._begin(event)
            case PartSigned():
                return self._sign(event)
            case ChoiceEnded():
                return self._end_choice(event)
            case UsageKnown():
                self._usage = self._usage.merged(event.usage)
            case StreamFailed():
                code = str(event.status) if event.status else None
                error = openai_error(event.message, kind=event.kind or "server_error", code=code)
                return encode("", orjson.dumps(error)) + _DONE
            case Ended():
                return self._end()
        return b""

    def _start(self, event: Started) -> bytes:
        self._usage = event.usage
        head = orjson.dumps(
            {
                "id": event.id,
                "object": "chat.completion.chunk",
                "created": event.created,
                "model": event.model or self._model,
            }
        )
        self._head = b"data: " + head[:-1] + b',"choices":['
        return self._role(0)

    def _role(self, choice: int) -> bytes:
        if choice in self._roles:
            return b""
        self._roles.add(choice)
        return self._chunk(choice, _ROLE)

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null", logprobs: bytes = b"null") -> bytes:
        if not self._head:
            raise ContentError("an answer's stream that does not say its start")
        return b'%b{"index":%d,"delta":%b,"logprobs":%b,"finish_reason":%b}]%b' % (
            self._head,
            choice,
            delta,
            logprobs,
            finish,
            self._tail,
        )

    def _begin(self, event: PartStarted) -> bytes:
        key = (event.choice, event.part)
        place = event.part
        written = self._role(event.choice)
        match event.kind:
            case PartKind.TOOL_CALL:
                place = self._calls.get(event.choice, 0)
                self._calls[event.choice] = place + 1
                opened = b'{"tool_calls":[{"index":%d,"function":{"arguments":' % place
                written += self._call_chunk(event.choice, place, _begun(event))
            case PartKind.REFUSAL:
                opened = b'{"refusal":'
            case PartKind.THINKING:
                opened = b'{"reasoning_content":'
            case _:
                opened = b'{"content":'
        opened = b'%b{"index":%d,"delta":%b' % (self._head, event.choice, opened)
        self._parts[key] = (event.kind, opened, place)
        return written

    def _call_chunk(self, choice: int, place: int, fields: dict[str, object]) -> bytes:
        return self._chunk(choice, orjson.dumps({"tool_calls": [{"index": place, **fields}]}))

    def _write_delta(self, event: PartDelta) -> bytes:
        kind, opened, place = self._parts[event.choice, event.part]
        text = orjson.dumps(event.text)
        if kind is PartKind.TEXT or kind is PartKind.REFUSAL:
            text += b'},"logprobs":'
        elif kind is PartKind.TOOL_CALL:
            text += b'}}]},"logprobs":'
        else:  # for clients that send thoughts back: the pieces of what must return unchanged
            text += b',"reasoning_details":[{"type":"reasoning.text","text":%b,"index":%d}]},"logprobs":' % (
                text,
                place,
            )
        if event.logprobs:
            text += orjson.dumps(write_logprobs(event.logprobs))
            return opened + text + b',"finish_reason":null}]' + self._tail
        return opened + text + b'null,"finish_reason":null}]' + self._tail

    def _sign(self, event: PartSigned) -> bytes:
        kind, _, place = self._parts[event.choice, event.part]
        if kind is PartKind.TOOL_CALL:
            fields: dict[str, object] = {
                "function": {"arguments": ""},  # clients look for it in every piece of a call
                "extra_content": write_signature(event.signature),
            }
            return self._call_chunk(event.choice, place, fields)
        details = []
        if event.signature:
            details.append({"type": "reasoning.text", "signature": event.signature, "index": place})
        if event.sealed:
            details.append({"type": "reasoning.encrypted", "data": event.sealed, "index": place})
        if not details:
            return b""
        if event.id:
            details[-1]["id"] = event.id
        return self._chunk(event.choice, orjson.dumps({"reasoning_details": details}))

    def _end_choice(self, event: ChoiceEnded) -> bytes:
        finish = b'"%b"' % write_finish(event.finish).encode()
        return self._role(event.choice) + self._chunk(event.choice, b"{}", finish)

    def _end(self) -> bytes:
        if not self._wants_usage or self._usage == NO_COUNT:
            return _DONE
        return b'%b],"usage":%b}\n\n%b' % (self._head, orjson.dumps(write_usage(self._usage)), _DONE)


def _begun(event: PartStarted) -> dict[str, object]:
    return {
        "id": event.call_id,
        "type": "function",
        "function": {"name": event.name, "arguments": ""},
    }

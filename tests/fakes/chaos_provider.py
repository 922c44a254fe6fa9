"""A provider that misbehaves by a seeded plan, byte by byte, and keeps the truth: what it was asked, said and reported.

It speaks Chat Completions and Messages over plain HTTP/1.1 on loopback, in the caller's own event loop. Several share
one `Truth`, so that every answer has a number of its own; the number is the answer's `x-request-id`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from tests.fakes.misbehaviour import reset_connection

type Json = dict[str, object]

PIECES = 6  # of a stream's text
MARK = "#ask-"
LONGEST_HANG = 20.0  # seconds; the gateway must have left long before


class Fault(StrEnum):
    """What becomes of a request."""

    NONE = "none"
    TRICKLE = "trickle"  # in order, with pauses
    HANG_BEFORE_HEAD = "hang_before_head"
    HANG_AFTER_HEAD = "hang_after_head"
    HANG_MIDWAY = "hang_midway"  # after some content
    LIMITED = "limited"  # 429 that says nothing
    LIMITED_FOR = "limited_for"  # 429 with Retry-After
    BROKEN = "broken"  # 500
    OVERLOADED = "overloaded"  # 529
    UNAVAILABLE = "unavailable"  # 503
    HALF_EVENT = "half_event"  # content, half an event, then the end of the connection
    ENDED_EARLY = "ended_early"  # the same, but the framing is ended in order
    RESET = "reset"  # content, then a reset
    ERROR_BEFORE = "error_before"  # an error inside a 200, before content
    ERROR_AFTER = "error_after"  # and after it
    SILENT = "silent"  # announcements and counts, then an end in order, without a word
    EMPTY = "empty"  # a 200 without a body
    CLOSE_AFTER_HEAD = "close_after_head"
    GARBAGE = "garbage"  # no HTTP
    HUGE_HEAD = "huge_head"
    WRONG_LENGTH = "wrong_length"  # says more than comes
    DEAD_KEY = "dead_key"  # 401: not planned, but due to the key


GOOD = frozenset({Fault.NONE, Fault.TRICKLE})

MIXED: Mapping[Fault, int] = {
    Fault.NONE: 60,
    Fault.TRICKLE: 6,
    **dict.fromkeys(set(Fault) - GOOD - {Fault.DEAD_KEY}, 2),
    Fault.HANG_BEFORE_HEAD: 1,
    Fault.HANG_AFTER_HEAD: 1,
    Fault.HANG_MIDWAY: 1,
}
"""Shares of the faults when everything is thrown."""

WELL: Mapping[Fault, int] = {Fault.NONE: 1}


@dataclass(slots=True, kw_only=True)
class Told:
    """One request as the provider knows it. `reported` says that its counts of tokens left; `whole` that all did."""

    number: int
    ask: str  # the client's own number, from its prompt
    provider: str
    key: str
    session: str
    fault: Fault
    stream: bool
    bound: int | None
    input: int
    output: int
    reported: bool = False
    whole: bool = False


@dataclass(slots=True)
class Truth:
    """What providers that share it have done."""

    told: dict[int, Told] = field(default_factory=dict)
    open: int = 0  # connections
    busy: int = 0  # connections with a request under way

    def faults(self) -> Counter[Fault]:
        """How often each was served."""
        return Counter(each.fault for each in self.told.values())

    def of(self, ask: str) -> list[Told]:
        """All that was said to one client's request."""
        return [each for each in self.told.values() if each.ask == ask]


class ChaosProvider:
    """One provider. `shares` may be changed while it runs."""

    def __init__(
        self,
        name: str,
        truth: Truth,
        *,
        dialect: str = "openai-chat",
        seed: int = 0,
        shares: Mapping[Fault, int] = WELL,
        dead_keys: frozenset[str] = frozenset(),
        port: int = 0,
        pause: float = 0.0,
    ) -> None:
        """`pause` is before each answer, in seconds."""
        self.name = name
        self.port = port
        self.shares = shares
        self.pause = pause
        self._truth = truth
        self._form: _Form = _Messages() if dialect == "anthropic-messages" else _Chat()
        self._seed = seed
        self._dead = dead_keys
        self._asked = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Listen; on the same port as before, where there was one."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections from now on, and drop those that stand."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    def _decide(self) -> Fault:
        self._asked += 1
        lots = random.Random(f"{self._seed}/{self.name}/{self._asked}")
        return lots.choices(list(self.shares), list(self.shares.values()))[0]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        truth = self._truth
        truth.open += 1
        try:
            while head := await _head(reader):
                truth.busy += 1
                try:
                    keep = await self._serve(head, reader, writer)
                finally:
                    truth.busy -= 1
                if not keep:
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            truth.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def _serve(
        self, head: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection may be used again."""
        document = json.loads(await reader.readexactly(int(head["content-length"])))
        told = self._note(head, document)
        answer = _Answer(reader, writer, told, self._form, document)
        if self.pause:
            await asyncio.sleep(self.pause)
        return await answer.give()

    def _note(self, head: dict[str, str], document: Json) -> Told:
        truth = self._truth
        number = len(truth.told) + 1
        key = head.get("x-api-key") or head.get("authorization", "").removeprefix("Bearer ")
        fault = Fault.DEAD_KEY if key in self._dead else self._decide()
        words = json.dumps(document)
        ask = words.partition(MARK)[2][:6] if MARK in words else ""
        bound = document.get("max_completion_tokens") or document.get("max_tokens")
        assert bound is None or isinstance(bound, int)
        told = truth.told[number] = Told(
            number=number,
            ask=ask,
            provider=self.name,
            key=key,
            session=head.get("x-session-id", ""),
            fault=fault,
            stream=document.get("stream") is True,
            bound=bound,
            input=30 + number % 11,
            output=10 + number % 17,
        )
        return told


async def _head(reader: asyncio.StreamReader) -> dict[str, str]:
    """The fields of a request's head; none where the connection has ended."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return {}
    lines = raw.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return {"": lines[0]} | {name.lower(): value.strip() for name, _, value in fields}


class _Answer:
    """One answer, given as its fault says. Without a stream, faults of streams are faults of the whole."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        told: Told,
        form: _Form,
        document: Json,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._told = told
        self._form = form
        self._counts = form.wants_counts(document)

    async def give(self) -> bool:
        """Whether the connection may be used again."""
        told = self._told
        match told.fault:
            case Fault.HANG_BEFORE_HEAD:
                return await self._hang()
            case Fault.GARBAGE:
                return await self._last(b"\x00\xff" * 500)
            case Fault.HUGE_HEAD:
                return await self._last(b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 300_000)
            case Fault.EMPTY:
                return await self._send(self._start(chunked=False) + b"content-length: 0\r\n\r\n")
        status = _STATUS.get(told.fault)
        if status is not None:
            return await self._refuse(*status)
        return await (self._stream() if told.stream else self._whole())

    async def _stream(self) -> bool:
        told, form = self._told, self._form
        await self._send(self._start(chunked=True) + b"\r\n")
        match told.fault:
            case Fault.HANG_AFTER_HEAD:
                return await self._hang()
            case Fault.CLOSE_AFTER_HEAD:
                return False
            case Fault.ERROR_BEFORE:
                return await self._finish(form.opening(told), form.failed())
            case Fault.SILENT:
                return await self._finish(form.opening(told), *self._ending())
        await self._chunk(form.opening(told))
        breaks = told.fault not in GOOD
        for place, piece in enumerate(_pieces(told)):
            if breaks and place == PIECES // 2:
                return await self._break(form.piece(piece))
            if told.fault is Fault.TRICKLE:
                await asyncio.sleep(0.03)
            await self._chunk(form.piece(piece))
        return await self._finish(*self._ending())

    async def _break(self, event: bytes) -> bool:
        """In the middle of the text."""
        match self._told.fault:
            case Fault.ERROR_AFTER:
                return await self._finish(self._form.failed())
            case Fault.HANG_MIDWAY:
                return await self._hang()
            case Fault.ENDED_EARLY:
                return await self._send(_framed(event[: len(event) // 2]) + b"0\r\n\r\n")
            case Fault.RESET:
                reset_connection(self._writer.transport)
                return False
        await self._chunk(event[: len(event) // 2])
        return False

    async def _whole(self) -> bool:
        told = self._told
        body = json.dumps(self._form.whole(told)).encode()
        half = body[: len(body) // 2]
        match told.fault:
            case Fault.HANG_AFTER_HEAD | Fault.HANG_MIDWAY:
                await self._send(self._start(chunked=True) + b"\r\n" + _framed(half))
                return await self._hang()
            case Fault.CLOSE_AFTER_HEAD | Fault.HALF_EVENT:
                return await self._last(self._start(chunked=True) + b"\r\n" + _framed(half))
            case Fault.RESET:
                await self._send(self._start(chunked=True) + b"\r\n" + _framed(half))
                reset_connection(self._writer.transport)
                return False
            case Fault.ENDED_EARLY:
                return await self._send(self._start(chunked=True) + b"\r\n" + _framed(half) + b"0\r\n\r\n")
            case Fault.WRONG_LENGTH:
                return await self._last(self._start(chunked=False) + b"content-length: 9999\r\n\r\n" + body)
            case Fault.ERROR_BEFORE | Fault.ERROR_AFTER:
                body = json.dumps(self._form.error("server_error")).encode()
            case Fault.TRICKLE:
                await asyncio.sleep(0.1)
                told.reported = True
            case _:
                told.reported = True
        length = f"content-length: {len(body)}\r\n\r\n".encode()
        told.whole = await self._send(self._start(chunked=False) + length + body)
        return told.whole

    async def _refuse(self, status: bytes, kind: str, more: bytes = b"") -> bool:
        body = json.dumps(self._form.error(kind)).encode()
        length = f"content-length: {len(body)}\r\n\r\n".encode()
        return await self._send(
            b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\n" + more + length + body
        )

    def _ending(self) -> list[bytes]:
        self._told.reported = self._counts
        return self._form.ending(self._told, counts=self._counts)

    def _start(self, *, chunked: bool) -> bytes:
        told = self._told
        kind = "text/event-stream" if told.stream else "application/json"
        framing = "transfer-encoding: chunked\r\n" if chunked and told.fault is not Fault.WRONG_LENGTH else ""
        if told.fault is Fault.WRONG_LENGTH and chunked:
            framing = "content-length: 99999\r\n"
        return f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nx-request-id: {told.number}\r\n{framing}".encode()

    async def _chunk(self, data: bytes) -> bool:
        return await self._send(data if self._told.fault is Fault.WRONG_LENGTH else _framed(data))

    async def _finish(self, *events: bytes) -> bool:
        self._told.whole = await self._send(b"".join(map(_framed, events)) + b"0\r\n\r\n")
        return self._told.whole

    async def _send(self, data: bytes) -> bool:
        self._writer.write(data)
        await self._writer.drain()
        return True

    async def _last(self, data: bytes) -> bool:
        await self._send(data)
        return False

    async def _hang(self) -> bool:
        """Say nothing more until the other side leaves."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_HANG):
                await self._reader.read(1)
        return False


_STATUS: Mapping[Fault, tuple[bytes, str] | tuple[bytes, str, bytes]] = {
    Fault.LIMITED: (b"429 Too Many Requests", "rate_limit_error"),
    Fault.LIMITED_FOR: (b"429 Too Many Requests", "rate_limit_error", b"retry-after: 1\r\n"),
    Fault.BROKEN: (b"500 Internal Server Error", "api_error"),
    Fault.OVERLOADED: (b"529 Overloaded", "overloaded_error"),
    Fault.UNAVAILABLE: (b"503 Service Unavailable", "server_error"),
    Fault.DEAD_KEY: (b"401 Unauthorized", "authentication_error"),
}


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def text_of(told: Told) -> str:
    """The words of an answer; they say its number."""
    return f"answer {told.number} to {told.ask}: " + "so it is, and " * 3 + "that is all."


def _pieces(told: Told) -> list[str]:
    text = text_of(told)
    size = -(-len(text) // PIECES)
    return [text[at : at + size] for at in range(0, len(text), size)]


def _plain(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def _named(document: Json) -> bytes:
    return f"event: {document['type']}\ndata: {json.dumps(document)}\n\n".encode()


class _Form:
    """A wire format, as far as it is needed here."""

    def wants_counts(self, document: Json) -> bool:
        """Whether a stream is to say its counts of tokens."""
        raise NotImplementedError

    def whole(self, told: Told) -> Json:
        """An answer in one piece."""
        raise NotImplementedError

    def opening(self, told: Told) -> bytes:
        """What a stream begins with."""
        raise NotImplementedError

    def piece(self, text: str) -> bytes:
        """A piece of text."""
        raise NotImplementedError

    def ending(self, told: Told, *, counts: bool) -> list[bytes]:
        """What a stream ends with."""
        raise NotImplementedError

    def failed(self) -> bytes:
        """An error inside a stream."""
        raise NotImplementedError

    def error(self, kind: str) -> Json:
        """An error's body."""
        raise NotImplementedError


class _Chat(_Form):
    def wants_counts(self, document: Json) -> bool:
        options = document.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    def whole(self, told: Told) -> Json:
        message = {"role": "assistant", "content": "" if told.fault is Fault.SILENT else text_of(told)}
        return {
            "id": f"chatcmpl-{told.number}",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": _chat_usage(told),
        }

    def opening(self, told: Told) -> bytes:
        return self._event({"role": "assistant", "content": ""})

    def piece(self, text: str) -> bytes:
        return self._event({"content": text})

    def ending(self, told: Told, *, counts: bool) -> list[bytes]:
        usage = [_plain(self._chunk([]) | {"usage": _chat_usage(told)})] if counts else []
        return [self._event({}, "stop"), *usage, b"data: [DONE]\n\n"]

    def failed(self) -> bytes:
        return _plain(self.error("server_error"))

    def error(self, kind: str) -> Json:
        return {"error": {"message": "chaos", "type": kind, "param": None, "code": None}}

    def _event(self, delta: Json, finish: str | None = None) -> bytes:
        return _plain(self._chunk([{"index": 0, "delta": delta, "finish_reason": finish}]))

    def _chunk(self, choices: list[Json]) -> Json:
        return {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": choices,
        }


def _chat_usage(told: Told) -> Json:
    total = told.input + told.output
    return {"prompt_tokens": told.input, "completion_tokens": told.output, "total_tokens": total}


class _Messages(_Form):
    def wants_counts(self, document: Json) -> bool:
        return True

    def whole(self, told: Told) -> Json:
        text = "" if told.fault is Fault.SILENT else text_of(told)
        usage = {"input_tokens": told.input, "output_tokens": told.output}
        return {
            **self._message(told),
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": usage,
        }

    def opening(self, told: Told) -> bytes:
        usage = {"input_tokens": told.input, "output_tokens": 1}
        block: Json = {"type": "text", "text": ""}
        return _named({"type": "message_start", "message": self._message(told) | {"usage": usage}}) + _named(
            {"type": "content_block_start", "index": 0, "content_block": block}
        )

    def piece(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return _named({"type": "content_block_delta", "index": 0, "delta": delta})

    def ending(self, told: Told, *, counts: bool) -> list[bytes]:
        return [
            _named({"type": "content_block_stop", "index": 0}),
            _named(
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                    "usage": {"output_tokens": told.output},
                }
            ),
            _named({"type": "message_stop"}),
        ]

    def failed(self) -> bytes:
        return _named(self.error("api_error"))

    def error(self, kind: str) -> Json:
        return {"type": "error", "error": {"type": kind, "message": "chaos"}}

    def _message(self, told: Told) -> Json:
        return {
            "id": f"msg_{told.number}",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
        }

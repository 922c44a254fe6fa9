"""Clients of the gateway over raw HTTP/1.1, in four dialects, that read strictly: an answer is whole or an error.

`Client` keeps a connection and may leave in the middle. What it heard is judged by `judged`, which knows the APIs from
their documentation and nothing of the code under test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.fakes.chaos_provider import MARK

type Json = dict[str, object]

CHAT, RESPONSES, MESSAGES, GEMINI = "chat", "responses", "messages", "gemini"
STUCK_SECONDS = 30.0
PROMPT = "Say in a few words how it is going there, and leave nothing out of what you know about it. "


class Leave(Enum):
    """When a client goes."""

    NEVER = 1
    IN_REQUEST = 2  # half of it was sent
    SOON = 3  # after `after` seconds, whatever has come
    MIDWAY = 4  # as soon as something of the answer's body has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request."""

    number: int
    dialect: str
    model: str
    key: str
    stream: bool = False
    fallbacks: tuple[str, ...] = ()
    max_tokens: int | None = None
    session: str = ""
    leave: Leave = Leave.NEVER
    after: float = 0.0

    @property
    def name(self) -> str:
        """As prompts and truths have it."""
        return f"{self.number:06d}"

    @property
    def request_id(self) -> str:
        """As the trail has it."""
        return f"chaos-{self.name}"

    @property
    def text(self) -> str:
        """The prompt."""
        return f"{PROMPT * 3}{MARK}{self.name}"

    def encoded(self, port: int) -> bytes:
        """The request as it goes on the wire."""
        body = json.dumps(self._body()).encode()
        fields = [
            f"POST {self._path()} HTTP/1.1",
            f"host: 127.0.0.1:{port}",
            "content-type: application/json",
        ]
        fields += [f"content-length: {len(body)}", f"x-request-id: {self.request_id}"]
        fields.append(f"x-drawbridge-key: {self.key}")
        if self.session:
            fields.append(f"x-session-id: {self.session}")
        if self.fallbacks and self.number % 2:
            fields.append(f"x-drawbridge-fallbacks: {', '.join(self.fallbacks)}")
        return "\r\n".join([*fields, "", ""]).encode() + body

    def _path(self) -> str:
        match self.dialect:
            case "chat":
                return "/v1/chat/completions"
            case "responses":
                return "/v1/responses"
            case "messages":
                return "/v1/messages"
            case _:
                verb = "streamGenerateContent?alt=sse" if self.stream else "generateContent"
                return f"/v1beta/models/{self.model}:{verb}"

    def _body(self) -> Json:
        said = {"role": "user", "content": self.text}
        body: Json
        match self.dialect:
            case "chat":
                body = {"model": self.model, "messages": [said]}
                limit = "max_completion_tokens"
            case "responses":
                body = {"model": self.model, "input": self.text}
                limit = "max_output_tokens"
            case "messages":
                body = {"model": self.model, "messages": [said], "max_tokens": self.max_tokens or 64}
                limit = "max_tokens"
            case _:
                body = {"contents": [{"role": "user", "parts": [{"text": self.text}]}]}
                if self.max_tokens is not None:
                    body["generationConfig"] = {"maxOutputTokens": self.max_tokens}
                limit = ""
        if limit and self.max_tokens is not None:
            body[limit] = self.max_tokens
        if self.stream and self.dialect != GEMINI:
            body["stream"] = True
        if self.fallbacks and not self.number % 2:
            body["fallbacks"] = list(self.fallbacks)
        return body


@dataclass(slots=True, kw_only=True)
class Heard:
    """What came back. `sent`: something reached the agent; `whole`: the answer's framing was ended; `lost`: the
    connection ended before that; `left`: the client did that itself; `stuck`: nothing came any more."""

    ask: Ask
    sent: bool = False
    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = False
    lost: bool = False
    left: bool = False
    stuck: bool = False

    @property
    def answer(self) -> int:
        """The number of the provider's answer that was committed to, 0 where none was."""
        number = self.fields.get("x-drawbridge-upstream-request-id", "")
        return int(number) if number.isdigit() else 0


class Client:
    """One keep-alive connection, made anew when it ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, ask: Ask) -> Heard:
        """Make a request, and hear what comes."""
        heard = Heard(ask=ask)
        limit = ask.after if ask.leave is Leave.SOON else STUCK_SECONDS
        try:
            async with asyncio.timeout(limit):
                await self._exchange(ask, heard)
        except TimeoutError:
            heard.left = ask.leave is Leave.SOON
            heard.stuck = not heard.left
            self.close()
        except (OSError, asyncio.IncompleteReadError):
            heard.lost = True
            self.close()
        return heard

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _exchange(self, ask: Ask, heard: Heard) -> None:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
        reader, writer = self._reader, self._writer
        assert reader is not None
        data = ask.encoded(self.port)
        if ask.leave is Leave.IN_REQUEST:
            heard.sent = True
            writer.write(data[:-100])
            await writer.drain()
            await asyncio.sleep(0.01)
            heard.left = True
            self.close()
            return
        heard.sent = True
        writer.write(data)
        await self._hear(reader, heard)
        if heard.fields.get("connection") == "close" or heard.left:
            self.close()

    async def _hear(self, reader: asyncio.StreamReader, heard: Heard) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        heard.status = int(head[0].split()[1])
        fields = (line.partition(":") for line in head[1:] if line)
        heard.fields = {name.lower(): value.strip() for name, _, value in fields}
        if "content-length" in heard.fields:
            heard.body = await reader.readexactly(int(heard.fields["content-length"]))
            heard.whole = True
            return
        while size := int(await reader.readuntil(b"\r\n"), 16):
            heard.body += (await reader.readexactly(size + 2))[:-2]
            if heard.ask.leave is Leave.MIDWAY:
                heard.left = True
                return
        await reader.readexactly(2)
        heard.whole = True


class End(Enum):
    """How a request ended for its client."""

    ANSWERED = 1
    FAILED = 2  # with one honest error
    LEFT = 3  # by the client
    LOST = 4  # with the agent


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`text` is the answer's; `began` tells that a stream had begun before it failed; `problem` what must not be."""

    end: End
    text: str = ""
    began: bool = False
    problem: str = ""


def judged(heard: Heard) -> Verdict:
    """What the client has of it."""
    if heard.left:
        return Verdict(end=End.LEFT)
    if heard.stuck:
        return Verdict(end=End.LOST, problem="nothing came any more")
    if not heard.whole:
        return Verdict(end=End.LOST, problem=f"cut after {heard.body[-80:]!r}")
    dialect = heard.ask.dialect
    kind = heard.fields.get("content-type", "").partition(";")[0]
    if heard.status == 200 and kind == "text/event-stream":
        return _of_stream(dialect, heard.body)
    try:
        document = json.loads(heard.body)
    except ValueError:
        return Verdict(end=End.FAILED, problem=f"{heard.status} with no JSON: {heard.body[:80]!r}")
    if heard.status >= 400:
        well = _is_error(dialect, document)
        return Verdict(end=End.FAILED, problem="" if well else f"no error of {dialect}: {heard.body[:200]!r}")
    if heard.status != 200 or kind != "application/json" or heard.ask.stream:
        return Verdict(end=End.FAILED, problem=f"{heard.status} {kind} for {heard.ask}")
    try:
        return Verdict(end=End.ANSWERED, text=_text(dialect, document))
    except (KeyError, IndexError, TypeError):
        return Verdict(end=End.FAILED, problem=f"no answer of {dialect}: {heard.body[:200]!r}")


def _is_error(dialect: str, document: Json) -> bool:
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("message"), str) or not error["message"]:
        return False
    match dialect:
        case "messages":
            return document.get("type") == "error" and isinstance(error.get("type"), str)
        case "gemini":
            return isinstance(error.get("code"), int) and isinstance(error.get("status"), str)
        case _:
            return isinstance(error.get("type"), str)


def _text(dialect: str, document: Json) -> str:
    one: dict[str, object] = document
    match dialect:
        case "chat":
            return one["choices"][0]["message"]["content"] or ""  # type: ignore[index,no-any-return]
        case "responses":
            parts = [part for item in one["output"] for part in item["content"]]  # type: ignore[attr-defined]
        case "messages":
            parts = one["content"]  # type: ignore[assignment]
        case _:
            parts = one["candidates"][0]["content"]["parts"]  # type: ignore[index]
    return "".join(part["text"] for part in parts)


def _events(body: bytes) -> Iterator[str]:
    """The data of each event. Raises ValueError where the stream stops inside one."""
    *blocks, rest = body.decode().split("\n\n")
    if rest:
        raise ValueError(f"half an event at the end: {rest[:80]!r}")
    for block in blocks:
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if data:
            yield "\n".join(data)


def _of_stream(dialect: str, body: bytes) -> Verdict:
    try:
        data = list(_events(body))
        done = dialect == CHAT and data[-1:] == ["[DONE]"]
        documents = [json.loads(each) for each in (data[:-1] if done else data)]
        ends = [_end(dialect, each) for each in documents]
        text = "".join(_piece(dialect, each) for each in documents)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return Verdict(
            end=End.FAILED, began=True, problem=f"no stream of {dialect}: {error!r} in {body[-300:]!r}"
        )
    errors = ends.count("error")
    if errors:
        well = errors == 1 and ends[-1] == "error"
        problem = "" if well else f"an error that is not the one end: {body[-300:]!r}"
        return Verdict(end=End.FAILED, text=text, began=True, problem=problem)
    if ends.count("end") != 1 or (dialect == CHAT and not done) or (dialect != CHAT and ends[-1] != "end"):
        return Verdict(end=End.FAILED, began=True, problem=f"a stream without its end: {body[-300:]!r}")
    return Verdict(end=End.ANSWERED, text=text, began=True)


def _end(dialect: str, document: Json) -> str:
    """Whether the event ends the stream, or is an error."""
    if isinstance(document.get("error"), dict) or document.get("type") in ("error", "response.failed"):
        return "error"
    match dialect:
        case "chat":
            ended = any(choice["finish_reason"] for choice in document["choices"])  # type: ignore[attr-defined]
        case "responses":
            ended = document["type"] in ("response.completed", "response.incomplete")
        case "messages":
            ended = document["type"] == "message_stop"
        case _:
            ended = any(each.get("finishReason") for each in document["candidates"])  # type: ignore[attr-defined]
    return "end" if ended else ""


def _piece(dialect: str, document: Json) -> str:
    one: dict[str, list[dict[str, dict[str, str]]]] = document  # type: ignore[assignment]
    match dialect:
        case "chat":
            return "".join(each["delta"].get("content") or "" for each in one.get("choices", []))
        case "responses" if document["type"] == "response.output_text.delta":
            return str(document["delta"])
        case "messages" if document["type"] == "content_block_delta":
            return str(document["delta"]["text"])  # type: ignore[index,call-overload]
        case "gemini":
            parts = [part for each in one.get("candidates", []) for part in each["content"]["parts"]]
            return "".join(part.get("text", "") for part in parts)  # type: ignore[attr-defined]
        case _:
            return ""

"""Which voice answers a request, by its method and path alone; the host is not looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agent.errors import ContentError
from agent.gateway.echo.chat import Chat
from agent.gateway.echo.gemini import Gemini
from agent.gateway.echo.messages import Messages
from agent.gateway.echo.models import model_page
from agent.gateway.echo.reply import Request, Stamp, Turn, Voice, compose
from agent.gateway.echo.responses import Responses
from agent.gateway.echo.wire import decode, encode

_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request as it came, its body free of Content-Encoding. `path` is decoded, `query` as sent."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    upgrade: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer. `parts` are its bytes, one part per event where it is a stream."""

    status: int = 200
    content_type: str = _JSON
    parts: Iterator[bytes]
    stream: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def respond(call: Call, stamp: Stamp, piece: int) -> Answer:
    """The answer to `call`, its texts streamed in pieces of `piece` characters."""
    voice = voice_of(call.path)
    if voice is None:
        return _other(call, stamp)
    if call.upgrade:
        return refusal(call.path, 426, "WebSocket is not spoken here; use HTTP.", stamp)
    if call.method != "POST":
        return refusal(call.path, 405, f"Method {call.method} is not allowed here; use POST.", stamp)
    try:
        request = Request(path=call.path, query=call.query, body=decode(call.body), size=len(call.body))
        if _counts(call.path):
            return _count(request)
        asked = voice.read(request)
    except ContentError as error:
        return refusal(call.path, 400, str(error), stamp)
    turn = Turn(request=request, asked=asked, reply=compose(asked), stamp=stamp)
    if not asked.stream:
        return Answer(parts=iter((voice.whole(turn),)))
    return Answer(content_type=voice.stream_type(turn), parts=voice.stream(turn, piece), stream=True)


def refusal(path: str, status: int, message: str, stamp: Stamp) -> Answer:
    """An error in the dialect spoken at `path` (OpenAI's where none is)."""
    voice = voice_of(path) or Chat()
    headers = (("connection", "close"),) if status in {413, 426} else ()
    return Answer(status=status, parts=iter((voice.error(status, message, stamp),)), headers=headers)


def voice_of(path: str) -> Voice | None:
    """The voice for an inference path, whatever stands before its end."""
    if path.endswith("/chat/completions"):
        return Chat()
    if path.endswith("/responses"):
        return Responses()
    if path.endswith(("/messages", "/messages/count_tokens")):
        return Messages()
    folder, _, last = path.rpartition("/")
    if folder.endswith("/models") and last.endswith(
        (":generateContent", ":streamGenerateContent", ":countTokens")
    ):
        return Gemini()
    return None


def _counts(path: str) -> bool:
    return path.endswith(("/count_tokens", ":countTokens"))


def _count(request: Request) -> Answer:
    key = "totalTokens" if request.path.endswith(":countTokens") else "input_tokens"
    return Answer(parts=iter((encode({key: request.tokens}),)))


def _other(call: Call, stamp: Stamp) -> Answer:
    """What clients ask besides answers: which models there are, and whether anyone is there."""
    if call.method in {"GET", "HEAD"}:
        if call.path in {"/", "/api/hello"}:
            return Answer(parts=iter((encode({"message": "hello"}),)))
        if page := model_page(call.path):
            return Answer(parts=iter((encode(page),)))
    return refusal(call.path, 404, f"Invalid URL ({call.method} {call.path})", stamp)

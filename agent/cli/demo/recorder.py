"""What a provider was really sent, kept by the provider's side of the demo."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

type Message = MutableMapping[str, object]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[Message], Awaitable[None]]
type App = Callable[..., Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class Received:
    """One request as the provider got it, and the bytes of its answer."""

    host: str
    path: str
    body: bytearray = field(default_factory=bytearray)
    answer: bytearray = field(default_factory=bytearray)

    def holds(self, text: str) -> bool:
        """Whether the request holds `text` anywhere, as it stands or inside its JSON strings."""
        return text in self.body.decode(errors="replace") or text in "\n".join(_strings(_parsed(self.body)))

    @property
    def said(self) -> str:
        """The last text in the request's messages: what the user wrote, or what a tool returned."""
        document = _parsed(self.body)
        messages = document.get("messages") if isinstance(document, dict) else None
        texts = _strings(messages[-1]) if isinstance(messages, list) and messages else []
        return texts[-1] if texts else ""

    @property
    def streamed(self) -> tuple[str, ...]:
        """The pieces of text in the answer that the provider streamed (Chat Completions)."""
        lines = self.answer.decode(errors="replace").splitlines()
        events = [
            _parsed(line.removeprefix("data: ").encode()) for line in lines if line.startswith("data: {")
        ]
        return tuple(piece for event in events for piece in _pieces(event))


class Recorder:
    """An ASGI application around another one that keeps what came in and what went out."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.requests: list[Received] = []

    async def __call__(self, scope: Mapping[str, object], receive: Receive, send: Send) -> None:
        """Pass everything on."""
        kept = Received(host=_host(scope), path=str(scope.get("path", "")))
        self.requests.append(kept)

        async def received() -> Message:
            message = await receive()
            kept.body += _bytes(message)
            return message

        async def sent(message: Message) -> None:
            kept.answer += _bytes(message)
            await send(message)

        await self._app(scope, received, sent)


def _bytes(message: Message) -> bytes:
    body = message.get("body")
    return body if isinstance(body, bytes) else b""


def _host(scope: Mapping[str, object]) -> str:
    pairs = scope.get("headers")
    fields = pairs if isinstance(pairs, list | tuple) else ()
    return next((value.decode("latin-1") for name, value in fields if name == b"host"), "")


def _parsed(body: bytes | bytearray) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _pieces(event: object) -> list[str]:
    match event:
        case {"choices": [{"delta": {"content": str(piece)}}]} if piece:
            return [piece]
        case _:
            return []


def _strings(value: object) -> list[str]:
    """Every string inside a JSON value, in order."""
    match value:
        case str():
            return [value]
        case dict():
            return [text for each in value.values() for text in _strings(each)]
        case list():
            return [text for each in value for text in _strings(each)]
        case _:
            return []

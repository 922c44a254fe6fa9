"""Services that speak WebSocket, as ASGI applications: OpenAI's Responses and Realtime, Gemini Live, and one by script.

What they answer is the echo's: the user's text directs it (see tests/clients/README.md). uvicorn frames the messages,
so that the agent is judged by somebody else's reading of RFC 6455."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from agent.dialects.sse import SseDecoder
from agent.gateway.echo.reply import Stamp
from agent.gateway.echo.routes import Call, respond

type Scope = Mapping[str, object]
type Receive = Callable[[], Awaitable[Mapping[str, object]]]
type Send = Callable[[dict[str, object]], Awaitable[None]]


class Gone(Exception):
    """The client has left; `code` is what its close frame said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Peer:
    """One connection, as a service sees it."""

    path: str
    query: str
    headers: dict[str, str]
    receive: Receive
    send: Send
    heard: list[str | bytes] = field(default_factory=list)

    async def next(self) -> str | bytes:
        """The client's next message. Raises Gone."""
        event = await self.receive()
        if event["type"] == "websocket.disconnect":
            raise Gone(int(str(event.get("code") or 1005)))
        text = event.get("text")
        data = text if isinstance(text, str) else bytes(event["bytes"])  # type: ignore[arg-type]
        self.heard.append(data)
        return data

    async def say(self, message: object) -> None:
        """A message: bytes as binary, a text as it is, everything else as JSON."""
        if isinstance(message, bytes):
            await self.send({"type": "websocket.send", "bytes": message})
        else:
            text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
            await self.send({"type": "websocket.send", "text": text})

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """A close frame."""
        await self.send({"type": "websocket.close", "code": code, "reason": reason})


type Service = Callable[[Peer], Awaitable[None]]


class SocketServices:
    """Serves each path by the service that knows it; `scripts` come first. Keeps what was heard, for any thread."""

    def __init__(self, *, delay: float = 0.0) -> None:
        """`delay` is the seconds between two messages of an answer."""
        self.delay = delay
        self.peers: list[Peer] = []
        self.scripts: dict[str, Service] = {}
        self.ended = 0
        self.declined: set[str] = set()
        self.left: list[int] = []  # codes of the close frames that clients sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        await receive()
        if scope["path"] in self.declined:
            await send({"type": "websocket.close"})  # uvicorn says 403
            return
        offered = scope.get("subprotocols")
        chosen = offered[0] if isinstance(offered, list) and offered else None
        await send(
            {"type": "websocket.accept", "subprotocol": chosen, "headers": [(b"x-models-etag", b"e1")]}
        )
        query, pairs = scope["query_string"], scope["headers"]
        assert isinstance(query, bytes)
        peer = Peer(
            path=str(scope["path"]),
            query=query.decode(),
            headers={name.decode(): value.decode("latin-1") for name, value in pairs},  # type: ignore[attr-defined]
            receive=receive,
            send=send,
        )
        self.peers.append(peer)
        service = self.scripts.get(peer.path) or self._service(peer.path)
        try:
            await service(peer)
        except Gone as gone:
            self.left.append(gone.code)
        finally:
            self.ended += 1

    def reset(self) -> None:
        """Forget scripts and what was heard."""
        self.peers.clear()
        self.scripts.clear()
        self.declined.clear()
        self.left.clear()
        self.ended = 0
        self.delay = 0.0

    @property
    def heard(self) -> list[str]:
        """Every message of every client, as text."""
        return [
            one if isinstance(one, str) else one.decode(errors="replace")
            for peer in list(self.peers)
            for one in list(peer.heard)
        ]

    def _service(self, path: str) -> Service:
        if path.endswith("/responses"):
            return self._responses
        if path.endswith("/realtime"):
            return self._realtime
        if "BidiGenerateContent" in path:
            return self._live
        return _repeating

    async def _responses(self, peer: Peer) -> None:
        """https://platform.openai.com/docs/api-reference/responses, over a WebSocket as Codex uses it."""
        number = 0
        while True:
            asked = json.loads(await peer.next())
            if asked.get("type") != "response.create":
                continue
            number += 1
            for event in _answer("/v1/responses", {**asked, "stream": True}, number):
                await peer.say(event)
                if self.delay:
                    await asyncio.sleep(self.delay)

    async def _realtime(self, peer: Peer) -> None:
        """The Realtime API, in text. Items are kept; `response.create` answers the last of a user."""
        model = "gpt-realtime"
        await peer.say(_event("session.created", session={"type": "realtime", "model": model}))
        items: list[dict[str, object]] = []
        number = 0
        while True:
            asked = json.loads(await peer.next())
            match asked["type"]:
                case "session.update":
                    session = {"model": model, **asked["session"]}
                    await peer.say(_event("session.updated", session=session))
                case "conversation.item.create":
                    items.append(asked["item"])
                    for step in ("added", "done"):
                        await peer.say(_event(f"conversation.item.{step}", item=asked["item"]))
                case "response.create":
                    number += 1
                    body = {"model": model, "input": items, "stream": True}
                    for event in _spoken(_answer("/v1/responses", body, number), f"resp_{number}"):
                        await peer.say(event)
                        if self.delay:
                            await asyncio.sleep(self.delay)

    async def _live(self, peer: Peer) -> None:
        """Gemini Live, in text; its messages are binary, as Google's are."""
        while True:
            asked = json.loads(await peer.next())
            content = asked.get("client_content") or asked.get("clientContent")
            if "setup" in asked:
                await peer.say(json.dumps({"setupComplete": {}}).encode())
            elif content is not None:
                text = content["turns"][-1]["parts"][-1]["text"]
                said = text[len("reverse: ") :][::-1] if text.startswith("reverse: ") else f"You said: {text}"
                for at in range(0, len(said), 4):
                    turn = {"role": "model", "parts": [{"text": said[at : at + 4]}]}
                    await peer.say(json.dumps({"serverContent": {"modelTurn": turn}}).encode())
                usage = {"promptTokenCount": 3, "responseTokenCount": 5, "totalTokenCount": 8}
                ended = {"serverContent": {"turnComplete": True}, "usageMetadata": usage}
                await peer.say(json.dumps(ended).encode())


async def _repeating(peer: Peer) -> None:
    """Says again what it hears."""
    while True:
        message = await peer.next()
        if message == "close, please":
            await peer.close(4001, "as you wish")
            return
        await peer.say(message)


def _answer(path: str, body: object, number: int) -> list[dict[str, object]]:
    """The events of the echo's streamed answer."""
    stamp = Stamp(token=f"{number:024x}", created=1_790_000_000)
    answer = respond(Call(method="POST", path=path, query="", body=json.dumps(body).encode()), stamp, 4)
    decoder = SseDecoder()
    if not answer.stream:  # the echo refuses: as the WebSocket does
        return [{"type": "error", "status": answer.status, **json.loads(b"".join(answer.parts))}]
    return [json.loads(event.data) for part in answer.parts for event in decoder.feed(part)]


def _spoken(events: list[dict[str, object]], response: str) -> list[dict[str, object]]:
    """The events of a Responses answer as the Realtime API says the same."""
    said: list[dict[str, object]] = []
    for event in events:
        kind = event["type"]
        if kind in ("response.in_progress", "response.content_part.added", "response.content_part.done"):
            continue
        whole = event.get("response")
        if isinstance(whole, dict):
            ended = kind == "response.completed"
            usage = whole.get("usage")
            told = {
                "id": response,
                "object": "realtime.response",
                "status": "completed" if ended else "in_progress",
                "output": whole.get("output") if ended else [],
                "usage": usage,
            }
            said.append(_event("response.done" if ended else "response.created", response=told))
        else:
            fields = {key: value for key, value in event.items() if key not in ("type", "sequence_number")}
            said.append(_event(str(kind), response_id=response, **fields))
    return said


def _event(kind: str, **fields: object) -> dict[str, object]:
    return {"type": kind, "event_id": "event_1", **fields}

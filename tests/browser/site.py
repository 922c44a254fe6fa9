"""The services behind the imitated pages, on loopback: answers that stream, sign-in, telemetry, WebSockets.

What a service answers depends on what it was asked, so that a test can tell from the page what has arrived. Whatever is
not a chat comes back as it came, with the hash of what arrived.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs

from agent.dialects.sse import encode
from tests.fakes import chat_pages

PAGES = Path(__file__).parent / "pages"
BACKWARDS = "backwards: "
"""What stands behind it in a prompt is answered the other way round: so a service says what nobody sent."""
_PAUSE = 0.012  # seconds between the pieces of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One of the pages."""

    host: str
    name: str
    accent: str
    script: str


SERVICES = {
    each.host: each
    for each in (
        Service(host="chatgpt.com", name="ChatGPT", accent="#10a37f", script="chatgpt.js"),
        Service(host="claude.ai", name="Claude", accent="#d97757", script="claude.js"),
        Service(host="gemini.google.com", name="Gemini", accent="#4285f4", script="gemini.js"),
        Service(host="copilot.microsoft.com", name="Copilot", accent="#7f5bd5", script="copilot.js"),
    )
}
HOSTS = (*SERVICES, "auth.openai.com", "accounts.google.com")


def answer_to(prompt: str) -> str:
    """What a service says."""
    if BACKWARDS in prompt:
        return f"The other way round that is {prompt.partition(BACKWARDS)[2][::-1]} – I hope it helps. 😀"
    return f"This is what reached me:\n\n“{prompt}”\n\nWith best wishes, the service."


def pieces(text: str, size: int = 6) -> list[str]:
    """A text in pieces, as models write it."""
    return [text[at : at + size] for at in range(0, len(text), size)]


async def site(scope: dict[str, object], receive: object, send: object) -> None:
    """The ASGI application: every service at one address, told apart by `Host`."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode().partition(":")[0]
    if scope["type"] == "websocket":
        await _socket(host, receive, send)
        return
    body = (await receive()).get("body", b"")
    path = scope["path"]
    service = SERVICES.get(host)
    if scope["method"] == "GET" and service is not None and path == "/":
        await _answer(send, "text/html; charset=utf-8", [_page(service)])
    elif path.endswith("/f/conversation"):
        await _answer(send, "text/event-stream; charset=utf-8", _chatgpt(json.loads(body)), pause=_PAUSE)
    elif path.endswith("/f/conversation/prepare"):
        await _answer(send, "application/json", [b'{"status":"ok","conduit_token":"ey.conduit"}'])
    elif path.endswith("/completion"):
        await _answer(send, "text/event-stream; charset=utf-8", _claude(json.loads(body)), pause=_PAUSE)
    elif path.endswith("/title"):
        title = {"title": " ".join(json.loads(body)["message_content"].split()[:4])}
        await _answer(send, "application/json", [json.dumps(title).encode()])
    elif path.endswith("/StreamGenerate"):
        await _answer(send, "application/json; charset=utf-8", _gemini(body), pause=_PAUSE)
    elif path == "/c/api/conversations":
        await _answer(send, "application/json", [b'{"id":"copilot-1"}'])
    else:
        await _echo(send, body, headers)


def _page(service: Service) -> bytes:
    text = (PAGES / "page.html").read_text()
    values = {
        "name": service.name,
        "host": service.host,
        "accent": service.accent,
        "common": (PAGES / "common.js").read_text(),
        "script": (PAGES / service.script).read_text(),
    }
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text.encode()


def _chatgpt(question: dict[str, object]) -> list[bytes]:
    """By deltas, or by snapshots where the prompt asks for them."""
    prompt = question["messages"][0]["content"]["parts"][0]
    form = chat_pages.snapshots if "snapshots" in prompt else chat_pages.deltas
    title = chat_pages.event({"type": "title_generation", "title": " ".join(prompt.split()[:4])})
    events = form(pieces(answer_to(prompt)))
    return [*events[:-2], title, *events[-2:]]


def _claude(question: dict[str, object]) -> Iterable[bytes]:
    said = answer_to(question["prompt"])
    for attachment in question["attachments"]:
        said += f"\n\nThe document says: {attachment['extracted_content']}"
    events: list[dict[str, object]] = [
        {"type": "message_start", "message": {"model": "claude-sonnet-4-5", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces(said)
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
        {"type": "message_stop"},
    ]
    return [encode(str(each["type"]), json.dumps(each).encode()) for each in events]


def _gemini(body: bytes) -> list[bytes]:
    (request,) = parse_qs(body.decode(), strict_parsing=True)["f.req"]
    return chat_pages.gemini(pieces(answer_to(json.loads(json.loads(request)[1])[0][0])))


async def _echo(send: object, body: bytes, headers: dict[bytes, bytes]) -> None:
    arrived = hashlib.sha256(body).hexdigest().encode()
    kind = headers.get(b"content-type", b"text/plain").decode()
    await _answer(send, kind, [body], (b"x-arrived", arrived))


async def _answer(
    send: object, kind: str, parts: Iterable[bytes], *headers: tuple[bytes, bytes], pause: float = 0.0
) -> None:
    fields = [(b"content-type", kind.encode()), (b"alt-svc", b'h3=":443"'), *headers]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(pause)
    await send({"type": "http.response.body", "body": b""})


async def _socket(host: str, receive: object, send: object) -> None:
    """Copilot's protocol on its host, an echo elsewhere."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        text = message["text"]
        if host != "copilot.microsoft.com":
            await send({"type": "websocket.send", "text": text})
            continue
        question = json.loads(text)
        if question["event"] == "send":
            said = answer_to(question["content"][0]["text"])
            for frame in _copilot(said):
                await send({"type": "websocket.send", "text": json.dumps(frame)})
                await asyncio.sleep(_PAUSE)


def _copilot(said: str) -> Iterable[dict[str, object]]:
    yield {"event": "received", "conversationId": "copilot-1"}
    yield {"event": "startMessage", "conversationId": "copilot-1", "messageId": "m-1"}
    for piece in pieces(said):
        yield {"event": "appendText", "messageId": "m-1", "partId": "p-1", "text": piece}
    yield {"event": "partCompleted", "messageId": "m-1", "partId": "p-1"}
    yield {"event": "done", "messageId": "m-1"}

"""The ASGI shell of the echo: reads a request's body within limits, hands it to `respond`, sends the answer.

Servable by any ASGI server. Holds no state between requests.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping

import zstandard

from agent.errors import ContentError
from agent.gateway.echo.reply import PIECE, Stamp
from agent.gateway.echo.routes import Answer, Call, refusal, respond

type Message = Mapping[str, object]
type Receive = Callable[[], Awaitable[Message]]
type Send = Callable[[dict[str, object]], Awaitable[None]]

BODY_LIMIT = 32 * 1024 * 1024
"""The largest request body, in bytes, before and after decoding; Anthropic's own limit."""


class EchoApp:
    """The echo as an ASGI application.

    `piece` is the number of characters in each piece of a stream, `delay` the seconds between two pieces,
    `body_limit` the largest body in bytes. `clock` and `token` give the answers' times and ids.
    """

    def __init__(
        self,
        *,
        piece: int = PIECE,
        delay: float = 0.0,
        body_limit: int = BODY_LIMIT,
        clock: Callable[[], float] = time.time,
        token: Callable[[], str] = lambda: secrets.token_hex(12),
    ) -> None:
        if piece < 1 or delay < 0 or body_limit < 0:
            raise ValueError("piece must be at least 1, delay and body_limit not negative")
        self._piece = piece
        self._delay = delay
        self._body_limit = body_limit
        self._clock = clock
        self._token = token

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "websocket":
                await _refuse_websocket(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        stamp = Stamp(token=self._token(), created=int(self._clock()))
        path = str(scope["path"])
        headers = _headers(scope)
        try:
            body = await _body(receive, self._body_limit)
            if body is None:
                return
            decoded = _decoded(body, headers.get("content-encoding", ""), self._body_limit)
        except _TooLargeError:
            answer = refusal(path, 413, f"Request body exceeds {self._body_limit} bytes.", stamp)
        except ContentError as error:
            answer = refusal(path, 400, str(error), stamp)
        else:
            call = Call(
                method=str(scope["method"]),
                path=path,
                query=_text(scope.get("query_string")),
                body=decoded,
                upgrade=headers.get("upgrade", "").lower() == "websocket",
            )
            answer = respond(call, stamp, self._piece)
        await _send(answer, stamp, self._delay, receive, send)


class _TooLargeError(Exception):
    """The body is larger than the limit."""


async def _body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None if the client went away. Raises _TooLargeError."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body")
        body += chunk if isinstance(chunk, bytes) else b""
        if len(body) > limit:
            raise _TooLargeError
        if not message.get("more_body"):
            return bytes(body)


def _decoded(body: bytes, coding: str, limit: int) -> bytes:
    """`body` free of its Content-Encoding. Raises ContentError and _TooLargeError."""
    try:
        match coding.strip().lower():
            case "" | "identity":
                decoded = body
            case "gzip":
                decoded = zlib.decompressobj(wbits=31).decompress(body, limit + 1)
            case "zstd":
                reader = zstandard.ZstdDecompressor(max_window_size=1 << 27)
                decoded = reader.stream_reader(io.BytesIO(body), read_across_frames=True).read(limit + 1)
            case _:
                raise ContentError("the request's Content-Encoding is not supported; use gzip or zstd")
    except (zlib.error, zstandard.ZstdError):
        raise ContentError("the body does not follow its Content-Encoding") from None
    if len(decoded) > limit:
        raise _TooLargeError
    return decoded


async def _send(answer: Answer, stamp: Stamp, delay: float, receive: Receive, send: Send) -> None:
    identity = f"req_{stamp.token}".encode()
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"request-id", identity),
        (b"x-request-id", identity),
        *((name.encode(), value.encode()) for name, value in answer.headers),
    ]
    if not answer.stream:
        body = b"".join(answer.parts)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    headers.append((b"cache-control", b"no-cache"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    for part in answer.parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
        if delay and await _gone_within(delay, receive):
            return
    await send({"type": "http.response.body", "body": b""})


async def _gone_within(seconds: float, receive: Receive) -> bool:
    """Wait that long; True at once if the client goes away meanwhile."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _refuse_websocket(scope: Message, receive: Receive, send: Send) -> None:
    """Say no to the upgrade, with status 426 where the server can (else it says 403)."""
    await receive()
    extensions = scope.get("extensions")
    if isinstance(extensions, dict) and "websocket.http.response" in extensions:
        headers = [(b"content-length", b"0"), (b"connection", b"close")]
        await send({"type": "websocket.http.response.start", "status": 426, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing to start and nothing to stop."""
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return


def _headers(scope: Message) -> dict[str, str]:
    pairs = scope.get("headers")
    if not isinstance(pairs, list | tuple):
        return {}
    return {_text(name).lower(): _text(value) for name, value in pairs}


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else ""

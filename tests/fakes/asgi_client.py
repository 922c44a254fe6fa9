"""A client that speaks ASGI to an application in the same process: no server, no socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

type Json = dict[str, object]
type Application = Callable[..., Awaitable[None]]


class AsgiClient:
    """Speaks ASGI to `app`. `sent` holds every message of the last answer."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.sent: list[Json] = []

    async def ask(
        self,
        path: str,
        body: object = None,
        *,
        method: str = "POST",
        headers: tuple[tuple[bytes, bytes], ...] = (),
        gone_after: int | None = None,
    ) -> bytes:
        """The answer's body. The client leaves after `gone_after` messages, if given."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": list(headers),
        }
        halves = [raw[: len(raw) // 2], raw[len(raw) // 2 :]]
        incoming = [
            {"type": "http.request", "body": half, "more_body": not place}
            for place, half in enumerate(halves)
        ]
        left = asyncio.Event()
        self.sent = []

        async def receive() -> Json:
            if incoming:
                return incoming.pop(0)
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Json) -> None:
            self.sent.append(message)
            if gone_after is not None and len(self.sent) >= gone_after:
                left.set()

        await self.app(scope, receive, send)
        return b"".join(one["body"] for one in self.sent[1:])

    @property
    def status(self) -> int:
        """The last answer's status."""
        return self.sent[0]["status"]

    def header(self, name: bytes) -> bytes:
        """A header of the last answer. Raises KeyError."""
        return dict(self.sent[0]["headers"])[name]

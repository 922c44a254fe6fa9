"""A provider that is down: whatever it is asked, it has no room."""

from __future__ import annotations

from collections.abc import Mapping

from agent.cli.demo.recorder import Receive, Send

_BODY = b'{"message": "no room", "type": "overloaded"}'


async def overloaded(scope: Mapping[str, object], receive: Receive, send: Send) -> None:
    """An ASGI application that answers 503."""
    while (await receive()).get("more_body"):
        continue
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})

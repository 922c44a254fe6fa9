"""A stand-in for Replicate: predictions are created, looked at, streamed and cancelled. An ASGI application.

Written from Replicate's HTTP API reference; nothing here knows the translator. What the prompt says directs it: `fail`,
a prediction that fails; `slow`, one that is never done; anything else is answered with `You said: …`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

type Json = dict[str, object]
type Send = Callable[[Mapping[str, object]], Awaitable[None]]

TOKEN = "r8_" + "house"
_KNOWN = {"version", "input", "stream"}  # the reference refuses other fields
_INPUTS = {"prompt", "system_prompt", "max_tokens", "temperature", "top_p"}


@dataclass
class Replicate:
    """Its API at one address; `streams`: whether its models can stream."""

    streams: bool = True
    looks: int = 2  # until a prediction is done
    predictions: dict[str, Json] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    deadlines: list[str] = field(default_factory=list)
    _looked: dict[str, int] = field(default_factory=dict)

    async def __call__(
        self,
        scope: Mapping[str, object],
        receive: Callable[[], Awaitable[Mapping[str, object]]],
        send: Send,
    ) -> None:
        """Answer one request."""
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")  # type: ignore[arg-type]
            if not message.get("more_body"):
                break
        fields = {name.decode(): value.decode() for name, value in scope["headers"]}  # type: ignore[attr-defined]
        method, path = str(scope["method"]), str(scope["path"])
        if fields.get("authorization") != f"Bearer {TOKEN}":
            return await _json(send, 401, {"title": "Unauthenticated", "detail": "You did not pass a token"})
        origin = f"http://{fields['host']}"
        name = path.rpartition("/")[2]
        if method == "POST" and path.endswith("/predictions"):
            return await self._create(send, origin, path, fields, bytes(body))
        if method == "POST" and name == "cancel":
            self.cancelled.append(path.split("/")[-2])
            return await _json(send, 200, {"status": "canceled"})
        if name not in self.predictions:
            return await _json(send, 404, {"detail": "Not found."})
        if path.startswith("/stream/"):
            return await self._stream(send, name)
        self._looked[name] = self._looked.get(name, 0) + 1
        return await _json(send, 200, self._shown(name, done=self._looked[name] >= self.looks))

    async def _create(
        self, send: Send, origin: str, path: str, fields: Mapping[str, str], body: bytes
    ) -> None:
        self.deadlines.append(fields.get("cancel-after", ""))
        asked = json.loads(body)
        given = asked["input"]
        unknown = sorted({*(asked.keys() - _KNOWN), *(given.keys() - _INPUTS)})
        if unknown or "prompt" not in given or ("/models/" in path) == ("version" in asked):
            return await _json(send, 422, {"detail": f"Input validation failed: {unknown}", "status": 422})
        name = f"p{len(self.predictions)}"
        urls = {"get": f"{origin}/v1/predictions/{name}", "cancel": f"{origin}/v1/predictions/{name}/cancel"}
        if self.streams:
            urls["stream"] = f"{origin}/stream/{name}"
        self.predictions[name] = {"id": name, "model": "meta/llama", "input": given, "urls": urls}
        waited = fields.get("prefer", "").startswith("wait") and self.looks == 0
        return await _json(send, 201, self._shown(name, done=waited))

    def _shown(self, name: str, *, done: bool) -> Json:
        shown = {**self.predictions[name], "output": None, "error": None, "status": "processing"}
        prompt = self._prompt(name)
        if not done or prompt == "slow":
            return shown
        if prompt == "fail":
            return shown | {"status": "failed", "error": "CUDA out of memory"}
        metrics = {"input_token_count": 11, "output_token_count": 4}
        return shown | {"status": "succeeded", "output": ["You said: ", prompt], "metrics": metrics}

    async def _stream(self, send: Send, name: str) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
            }
        )
        prompt = self._prompt(name)
        events = [("output", piece) for piece in ("You ", "said: ", prompt)] + [("done", "{}")]
        if prompt == "fail":
            events = [("error", json.dumps({"detail": "CUDA out of memory"}))]
        for kind, data in events:
            lines = "".join(f"data: {line}\n" for line in data.split("\n"))
            await _piece(send, f"event: {kind}\nid: 1:0\n{lines}\n")
            if prompt == "slow":
                await asyncio.sleep(60)
        await send({"type": "http.response.body", "body": b""})

    def _prompt(self, name: str) -> str:
        given = self.predictions[name]["input"]
        assert isinstance(given, dict)
        return str(given["prompt"])


async def _json(send: Send, status: int, document: Mapping[str, object]) -> None:
    fields = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


async def _piece(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})

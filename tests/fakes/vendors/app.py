"""The vendors behind one address, each at its own paths: an ASGI application for `tests.fakes.provider.Provider`."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from tests.fakes.vendors.anthropic import Anthropic
from tests.fakes.vendors.bedrock import Bedrock
from tests.fakes.vendors.cohere import Cohere
from tests.fakes.vendors.gemini import Gemini
from tests.fakes.vendors.openai_chat import OpenAIChat
from tests.fakes.vendors.openai_others import OpenAIOthers
from tests.fakes.vendors.openai_responses import OpenAIResponses
from tests.fakes.vendors.scene import Answer, Refusal, Request, Vendor

type Message = Mapping[str, object]


class Vendors:
    """All of them."""

    def __init__(self) -> None:
        self._vendors: tuple[Vendor, ...] = (
            OpenAIChat(),
            OpenAIResponses(),
            Anthropic(),
            Gemini(),
            Bedrock(),
            Cohere(),
            OpenAIOthers(),
        )

    async def __call__(
        self,
        scope: Mapping[str, object],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[..., Awaitable[None]],
    ) -> None:
        """Answer one request."""
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        raw_path = scope.get("raw_path") or str(scope["path"]).encode()
        request = Request(
            method=str(scope["method"]),
            path=raw_path.partition(b"?")[0].decode("ascii"),
            query=scope["query_string"].decode("ascii"),
            headers={
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
            },
            raw=bytes(body),
        )
        answer = self.answer(request)
        headers = [(b"content-type", answer.content_type.encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for part in answer.parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def answer(self, request: Request) -> Answer:
        """The answer of whichever vendor has the path."""
        vendor = next((each for each in self._vendors if each.serves(request.path)), None)
        if vendor is None:
            return Answer(status=404, parts=(b'{"error": {"message": "no such path"}}',))
        try:
            keeps = isinstance(vendor, OpenAIOthers) and vendor.keeps(request.path)
            return vendor.answer(request if keeps and request.method != "POST" else _read(request))
        except Refusal as refusal:
            return Answer(status=refusal.status, parts=(vendor.error(refusal),))


def _read(request: Request) -> Request:
    if request.method != "POST":
        raise Refusal(f"Method {request.method} is not allowed here", 405)
    if "json" not in request.headers.get("content-type", ""):
        return request
    try:
        body = json.loads(request.raw)
    except ValueError:
        raise Refusal("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise Refusal("We expected a JSON object.")
    return Request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers=request.headers,
        raw=request.raw,
        body=body,
    )

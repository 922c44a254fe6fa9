"""OpenAI Responses over a WebSocket, as Codex speaks it.

The client's `response.create` is the body of a Responses request with a `type`; the service's messages are the
documents of the HTTP stream's events, one each. One answer at a time: they have no name. Seen with Codex 0.169, whose
own source (codex-api, `responses_websocket.rs`) reads an error as `{"type": "error", "status": …, "error": {…}}`.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from agent.dialects import counting
from agent.dialects.base import ParsedRequest, RequestHead
from agent.dialects.openai_responses import OpenAIResponses, OpenAIResponsesReader
from agent.dialects.shapes import string
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import JsonSession, unknown
from agent.dialects.sse import SseDecoder
from agent.model.content import Usage
from agent.model.conversation import TokenCount

_SILENT = ("response.processed", "response.cancel")  # of a client: they give the model nothing
_APART = ("codex.rate_limits", "session.created", "session.updated")


class ResponsesSocket:
    """The socket dialect `openai-responses`."""

    name = "openai-responses"

    def session(self, head: RequestHead) -> ResponsesSession:
        """See `SocketDialect`."""
        del head
        return ResponsesSession()

    def count(self, usage: Usage) -> TokenCount:
        """The tokens that an answer reports, normalised."""
        return counting.inclusive(usage)


class ResponsesSession(JsonSession):
    """One connection: each `response.create` is a turn."""

    def __init__(self) -> None:
        super().__init__()
        self._reader: OpenAIResponsesReader | None = None
        self._model = ""

    def _begun(self, turn: str) -> ParsedRequest:
        del turn
        return ParsedRequest(model=self._model, stream=True)

    def _read(self, document: dict[str, object]) -> Heard:
        kind = document.get("type")
        if kind in _SILENT:
            return Heard()
        if kind != "response.create":
            return unknown(document)
        request = OpenAIResponses().parse_document(document)
        return Heard(request=replace(request, stream=True), asks=True)

    def forwarded(self, heard: Heard) -> None:
        """A turn's model is what an answer of ours names."""
        super().forwarded(heard)
        if heard.asks:
            self._model = heard.request.model

    def _said(self, document: dict[str, object]) -> Said:
        kind = string(document.get("type"))
        if kind in _APART:
            return Said(apart=True)
        if self._reader is None:
            self._reader = OpenAIResponsesReader(self._model)
        view = self._reader.view("", document)
        if view.final:
            self._reader = None  # numbers, places and names begin anew with the next answer
        return Said(view=view)

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """`response.failed` with `invalid_prompt`, which Codex shows as it is and does not retry."""
        return self.stop(message, "")

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The API's own error, with its status."""
        kind = "server_error" if status >= 500 else "invalid_request_error"
        error = {"type": kind, "code": None, "message": message, "param": None}
        return (orjson.dumps({"type": "error", "status": status, "error": error}),)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The same as a refusal: an answer that has begun fails in no other way."""
        del turn
        reader = self._reader or OpenAIResponsesReader(self._model)
        return tuple(event.data for event in SseDecoder().feed(reader.block(message)))

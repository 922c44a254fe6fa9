"""Microsoft Copilot for consumers: JSON events over a WebSocket at `/c/api/chat`.

The client's `send` is a prompt; the service answers with `startMessage`, `appendText` …, `done`. Read in public client
code (g4f), not seen on the wire. One answer at a time, without a name.
"""

from __future__ import annotations

import orjson

from agent.dialects.base import EventView, ParsedRequest, RequestHead
from agent.dialects.moulds import delta_view, new_slot, text_delta
from agent.dialects.shapes import objects, string
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import JsonSession, Uncounted, echoed, unknown
from agent.model.content import Address, Role

_TEXT: Address = (("text",),)
_CHANNELS = {"appendText": "text", "chainOfThought": "thought"}
_APART = ("titleUpdate", "connected", "challenge", "suggestedFollowups")
_ENDS = ("done", "error")
_NAMES = ("content", "event", "mode", "conversationId")


class CopilotSocket(Uncounted):
    """The socket dialect `microsoft-copilot`."""

    __slots__ = ()

    name = "microsoft-copilot"

    def session(self, head: RequestHead) -> CopilotSession:
        """See `SocketDialect`."""
        del head
        return CopilotSession()


class CopilotSession(JsonSession):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._message = "message-blocked"  # the service's id of the answer

    def _read(self, document: dict[str, object]) -> Heard:
        if document.get("event") != "send":
            return unknown(document)
        found = Collector()
        for index, part in objects(document.get("content")):
            if part.get("type") == "image":
                found.attach_url("image", part.get("url"))
            else:
                found.leaves(("content", index), Role.USER, {**part, "type": None})
        for key, value in document.items():
            if key not in _NAMES:
                found.leaves((key,), Role.USER, value)
        request = ParsedRequest(
            model=string(document.get("mode")),
            stream=True,
            slots=tuple(found.slots),
            attachments=tuple(found.attachments),
            conversation=string(document.get("conversationId")),
        )
        return Heard(request=request, asks=True)

    def _said(self, document: dict[str, object]) -> Said:
        kind = string(document.get("event"))
        if kind in _APART:
            return Said(view=echoed(document), apart=True)
        self._message = string(document.get("messageId")) or self._message
        if kind in _ENDS:
            reason = "completed" if kind == "done" else "failed"
            return Said(view=EventView(closes=("text", "thought"), finish_reason=reason, final=True))
        text = document.get("text")
        if (channel := _CHANNELS.get(kind)) and isinstance(text, str) and text:
            return Said(view=delta_view((text_delta(channel, new_slot(_TEXT, Role.ASSISTANT, text)),)))
        return Said(view=echoed(document))

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """An answer that says `message`."""
        start = {"event": "startMessage", "messageId": self._message}
        return (orjson.dumps(start), *self.stop(message, ""))

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same: what the page shows for an `error` is its own text."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The answer's last words."""
        del turn
        said = {"event": "appendText", "messageId": self._message, "partId": "blocked", "text": message}
        return (
            orjson.dumps(said),
            orjson.dumps({"event": "partCompleted", "messageId": self._message, "partId": "blocked"}),
            orjson.dumps({"event": "done", "messageId": self._message}),
        )

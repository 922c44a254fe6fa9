"""What sessions whose messages are JSON documents share."""

from __future__ import annotations

from dataclasses import replace

import orjson

from agent.dialects.base import EventView, ParsedRequest, RequestHead
from agent.dialects.jsonedits import edit
from agent.dialects.shapes import json_object
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.model.content import Attachment, Edit, Role, Usage
from agent.model.conversation import NO_COUNT, TokenCount

UNREADABLE = Said(readable=False)
MAX_ATTACHMENTS = 64
"""Kinds of attachments that are remembered between two turns; what comes in many pieces is one."""


class JsonSession:
    """Half of a `SocketSession`: each message is one JSON object. Subclasses read it in `_read`, and `_said`."""

    def __init__(self) -> None:
        self._known: tuple[bytes, Heard] = (b"", Heard())  # the message that was read last
        self._attached: dict[tuple[str, str], Attachment] = {}  # since the last turn

    def hear(self, data: bytes) -> Heard:
        """See `SocketSession`."""
        if data is not self._known[0] or not data:
            self._known = (data, self._read(json_object(data)))
        return self._known[1]

    def parse_request(self, head: RequestHead, body: bytes) -> ParsedRequest:
        """See `RequestFormat`."""
        del head
        return self._with_attached(self.hear(body).request)

    def begun(self, turn: str) -> ParsedRequest:
        """See `SocketSession`."""
        return self._with_attached(self._begun(turn))

    def _with_attached(self, request: ParsedRequest) -> ParsedRequest:
        if not self._attached:
            return request
        return replace(request, attachments=(*self._attached.values(), *request.attachments))

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return edit(body, edits)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`data` with the edits made and every other byte as it came."""
        return edit(data, edits)

    def forwarded(self, heard: Heard) -> None:
        """Remember what is no text, for the turn that follows."""
        self._known = (b"", Heard())
        if heard.asks:
            self._attached.clear()
            return
        for each in heard.request.attachments:
            key = (each.kind, each.media_type)
            before = self._attached.get(key)
            if before is None and len(self._attached) >= MAX_ATTACHMENTS:
                continue
            size = (before.size or 0 if before is not None else 0) + (each.size or 0)
            self._attached[key] = Attachment(
                kind=each.kind, media_type=each.media_type, size=size or None, name=each.name
            )

    def listen(self, data: bytes) -> Said:
        """See `SocketSession`."""
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return UNREADABLE
        return self._said(document) if isinstance(document, dict) else UNREADABLE

    def _begun(self, turn: str) -> ParsedRequest:
        """See `begun`."""
        del turn
        return ParsedRequest(stream=True)

    def _read(self, document: dict[str, object]) -> Heard:
        raise NotImplementedError

    def _said(self, document: dict[str, object]) -> Said:
        raise NotImplementedError


class Uncounted:
    """A service that tells nobody how many tokens an answer took."""

    __slots__ = ()

    def count(self, usage: Usage) -> TokenCount:
        """Nothing is known."""
        del usage
        return NO_COUNT


def unknown(document: object) -> Heard:
    """A client's message of a kind that is not known: everything in it that could be said to a model."""
    found = Collector()
    found.leaves((), Role.USER, document)
    return Heard(request=ParsedRequest(slots=tuple(found.slots)), known=False)


def echoed(document: dict[str, object], role: Role = Role.ASSISTANT) -> EventView:
    """A service's message of a kind that is not known, or one that says again what was said: its texts, as wholes."""
    found = Collector()
    found.prose((), role, document)
    return EventView(repeats=tuple(found.slots))

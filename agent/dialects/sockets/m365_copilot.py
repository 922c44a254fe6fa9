"""Microsoft 365 Copilot: SignalR's JSON protocol over a WebSocket.

A message holds records, each a JSON object ended by 0x1E (ASP.NET Core SignalR hub protocol). The client's invocation
of `chat` (type 4) is a prompt; the service answers with `update` invocations (type 1), which add a text
(`writeAtCursor`) or say again all of it so far (`messages`), then an item (2) and a completion (3). Read in public
client code, not seen on the wire. Where the whole is said again each time, what was sent cannot be taken back: a
match is found once it is whole.
"""

from __future__ import annotations

import orjson

from agent.dialects.base import Delta, EventView, ParsedRequest, RequestHead
from agent.dialects.jsonedits import edit
from agent.dialects.moulds import new_slot, text_delta
from agent.dialects.shapes import json_object, mapping, objects, string
from agent.dialects.slots import Collector
from agent.dialects.sockets.base import Heard, Said
from agent.dialects.sockets.sessions import UNREADABLE, JsonSession, Uncounted
from agent.errors import ContentError
from agent.model.content import Edit, Path, Role

_END = b"\x1e"
_KNOWN = (1, 4, 6, 7)
_INVOCATION, _ITEM, _COMPLETION, _STREAM, _PING, _CLOSE = 1, 2, 3, 4, 6, 7


class M365Socket(Uncounted):
    """The socket dialect `m365-copilot`."""

    __slots__ = ()

    name = "m365-copilot"

    def session(self, head: RequestHead) -> M365Session:
        """See `SocketDialect`."""
        del head
        return M365Session()


class M365Session(JsonSession):
    """One connection. Addresses begin with the record's number in its message."""

    def __init__(self) -> None:
        super().__init__()
        self._call = "0"  # the client's id of the invocation that is answered

    def hear(self, data: bytes) -> Heard:
        """See `SocketSession`."""
        if data is self._known[0] and data:
            return self._known[1]
        found = Collector()
        model = ""
        asks, known = False, True
        for index, record in enumerate(_records(data)):
            document = json_object(record)
            kind = document.get("type")
            known = known and kind in _KNOWN
            if kind in (_STREAM, _INVOCATION):
                asks = True
                self._call = string(document.get("invocationId")) or self._call
                for _, argument in objects(document.get("arguments")):
                    model = string(argument.get("tone")) or model
                for file in ("entityAnnotations", "files"):
                    _attach(found, document.get("arguments"), file)
                found.leaves((index, "arguments"), Role.USER, document.get("arguments"))
            elif kind not in (_PING, _CLOSE):
                found.leaves((index,), Role.USER, document)
        request = ParsedRequest(
            model=model, stream=True, slots=tuple(found.slots), attachments=tuple(found.attachments)
        )
        self._known = (data, Heard(request=request, asks=asks, known=asks or known))
        return self._known[1]

    def listen(self, data: bytes) -> Said:
        """See `SocketSession`."""
        deltas: list[Delta] = []
        found = Collector()
        final = False
        kinds: set[object] = set()
        for index, record in enumerate(_records(data)):
            try:
                document = orjson.loads(record)
            except orjson.JSONDecodeError:
                return UNREADABLE
            if not isinstance(document, dict):
                return UNREADABLE
            kinds.add(kind := document.get("type"))
            final = final or kind in (_COMPLETION, _CLOSE)
            _read_answer((index,), document, deltas, found)
        if kinds <= {_PING, None}:
            return Said(apart=True)  # signs of life, and the answer to the handshake
        view = EventView(
            deltas=tuple(deltas),
            repeats=tuple(found.slots),
            closes=("cursor",) if final else (),
            finish_reason="completed" if final else "",
            final=final,
        )
        return Said(view=view)

    def edit_request(self, body: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`body` with the edits made and every other byte as it came."""
        return _edited(body, edits)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`data` with the edits made and every other byte as it came."""
        return _edited(data, edits)

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """An answer that says `message`, and its completion."""
        said = [{"text": message, "author": "bot", "messageType": "Chat"}]
        update = {"type": _INVOCATION, "target": "update", "arguments": [{"messages": said}]}
        item = {"type": _ITEM, "invocationId": self._call, "item": {"messages": said}}
        ended = {"type": _COMPLETION, "invocationId": self._call}
        return tuple(orjson.dumps(each) + _END for each in (update, item, ended))

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same: a completion's `error` is not shown."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The same: the whole answer said again, with other words."""
        del turn
        return self.refusal(message)


def _read_answer(path: Path, document: dict[str, object], deltas: list[Delta], found: Collector) -> None:
    for place, argument in objects(document.get("arguments")):
        at = (*path, "arguments", place)
        text = argument.get("writeAtCursor")
        if isinstance(text, str) and text:
            slot = new_slot(((*at, "writeAtCursor"),), Role.ASSISTANT, text)
            deltas.append(text_delta("cursor", slot))
        found.prose(at, Role.ASSISTANT, argument)
    found.prose((*path, "item"), Role.ASSISTANT, mapping(document.get("item")))
    found.text((*path, "error"), Role.ASSISTANT, document.get("error"))


def _attach(found: Collector, arguments: object, name: str) -> None:
    for _, argument in objects(arguments):
        for _, each in objects(mapping(argument.get("message")).get(name)):
            found.attach("file", name=each.get("text") or each.get("name"))


def _records(data: bytes) -> list[bytes]:
    return [record for record in data.split(_END) if record.strip()]


def _edited(data: bytes, edits: tuple[Edit, ...]) -> bytes:
    """Each record with its own edits; everything between them as it came."""
    parts = data.split(_END)
    places = [place for place, record in enumerate(parts) if record.strip()]
    for index, place in enumerate(places):
        own = tuple(
            Edit(
                address=(each.address[0][1:], *each.address[1:]),
                start=each.start,
                end=each.end,
                replacement=each.replacement,
            )
            for each in edits
            if each.address[0][:1] == (index,)
        )
        if own:
            parts[place] = edit(parts[place], own)
    if any(not each.address[0] for each in edits):
        raise ContentError("an edit that belongs to no record")
    return _END.join(parts)

"""ChatGPT's WebSocket at `ws.chatgpt.com`, over which an answer may go on that began over HTTPS.

The client subscribes to topics; no prompt goes here. A message, or each of an array of them, carries a slice of the
HTTP answer's event stream as text (`encoded_item`), under the topic of the turn. Read in public client code, not seen
on the wire. The events inside are read by a reader of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import orjson

from agent.dialects.base import Delta, EventView, RequestHead, StreamReader
from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.sockets.base import ANSWER_ELSEWHERE, Heard, Said
from agent.dialects.sockets.deltas import DeltaReader
from agent.dialects.sockets.sessions import UNREADABLE, JsonSession, Uncounted, echoed, unknown
from agent.dialects.sse import SseDecoder, SseEvent, encode
from agent.model.content import Edit, Path, Slot

_ITEM, _TOPIC = "encoded_item", "topic_id"
_DEPTH = 6  # containers around an item
_MAX_TURNS = 64


class ChatGPTSocket(Uncounted):
    """The socket dialect `chatgpt-socket`."""

    __slots__ = ("_reader",)

    name = "chatgpt-socket"

    def __init__(self, reader: Callable[[], StreamReader] = DeltaReader) -> None:
        """`reader` makes what reads the events of one answer."""
        self._reader = reader

    def session(self, head: RequestHead) -> ChatGPTSession:
        """See `SocketDialect`."""
        del head
        return ChatGPTSession(self._reader)


class ChatGPTSession(JsonSession):
    """One connection. The address of a text inside an item begins with the number of its event in the message."""

    def __init__(self, reader: Callable[[], StreamReader]) -> None:
        super().__init__()
        self._make = reader
        self._readers: dict[str, StreamReader] = {}  # by topic
        self._last = b"{}"  # the message with an item that came last: what one of ours looks like

    def hear(self, data: bytes) -> Heard:
        """See `SocketSession`. Clients send arrays, too."""
        return unknown(parse(data))

    def listen(self, data: bytes) -> Said:
        """See `SocketSession`."""
        try:
            document = orjson.loads(data)
        except orjson.JSONDecodeError:
            return UNREADABLE
        items = list(_items(document, ()))
        if not items:
            return Said(view=echoed(document) if isinstance(document, dict) else EventView(), apart=True)
        self._last = data
        topic = next(_named(document, _TOPIC), "")
        view = EventView()
        number = 0
        for _, text in items:
            for event in _events(text):
                view = _joined(view, _numbered(self._reader(topic).read(event.event, event.data), number))
                number += 1
        if view.final:
            self._readers.pop(topic, None)
        return Said(view=view, turn=topic or "topic", operation=ANSWER_ELSEWHERE)

    def edit_event(self, data: bytes, edits: tuple[Edit, ...]) -> bytes:
        """`data` with the edits made, each in its event in its item."""
        items = list(_items(orjson.loads(data), ()))
        if not items:
            return edit(data, edits)
        outer: list[Edit] = []
        number = 0
        for path, text in items:
            changed: list[bytes] = []
            for event in _events(text):
                changed.append(_edited(event, number, edits))
                number += 1
            whole = b"".join(changed).decode()
            if whole != text:
                outer.append(Edit(address=(path,), start=0, end=len(text), replacement=whole))
        return edit(data, tuple(outer))

    def refusal(self, message: str) -> tuple[bytes, ...]:
        """The last message again, with an assistant's whole answer in its item; nothing where none has come."""
        said = {
            "id": "blocked",
            "author": {"role": "assistant"},
            "content": {"content_type": "text", "parts": [message]},
            "status": "finished_successfully",
            "end_turn": True,
        }
        events = encode("", orjson.dumps({"message": said, "error": None})) + encode("", b"[DONE]")
        items = list(_items(orjson.loads(self._last), ()))
        edits = tuple(
            Edit(address=(path,), start=0, end=len(text), replacement="" if place else events.decode())
            for place, (path, text) in enumerate(items)
        )
        return (edit(self._last, edits),) if edits else ()

    def failure(self, status: int, message: str) -> tuple[bytes, ...]:
        """The same."""
        del status
        return self.refusal(message)

    def stop(self, message: str, turn: str) -> tuple[bytes, ...]:
        """The same."""
        del turn
        return self.refusal(message)

    def _reader(self, topic: str) -> StreamReader:
        reader = self._readers.get(topic)
        if reader is None:
            if len(self._readers) >= _MAX_TURNS:
                del self._readers[next(iter(self._readers))]
            reader = self._readers[topic] = self._make()
        return reader


def _items(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The slices in a message, with where they stand."""
    if len(path) > _DEPTH:
        return
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        if step == _ITEM and isinstance(inner, str):
            yield (*path, step), inner
        elif isinstance(inner, (dict, list)):
            yield from _items(inner, (*path, step))


def _named(value: object, name: str, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, dict) and isinstance(value.get(name), str):
        yield value[name]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _named(each, name, depth + 1)


def _events(text: str) -> list[SseEvent]:
    decoder = SseDecoder()
    return [*decoder.feed(text.encode("utf-8", "replace")), *decoder.finish()]


def _edited(event: SseEvent, number: int, edits: tuple[Edit, ...]) -> bytes:
    own = tuple(
        replace(each, address=(each.address[0][1:], *each.address[1:]))
        for each in edits
        if each.address[0][:1] == (number,)
    )
    return encode(event.event, edit(event.data, own)) if own else event.raw


def _numbered(view: EventView, number: int) -> EventView:
    """The view with the event's number before its addresses."""

    def moved(slot: Slot) -> Slot:
        return replace(slot, address=((number, *slot.address[0]), *slot.address[1:]))

    return replace(
        view,
        deltas=tuple(replace(each, slot=moved(each.slot)) for each in view.deltas),
        repeats=tuple(map(moved, view.repeats)),
    )


def _joined(view: EventView, later: EventView) -> EventView:
    deltas: tuple[Delta, ...] = view.deltas + later.deltas
    return EventView(
        deltas=deltas,
        closes=view.closes + later.closes,
        repeats=view.repeats + later.repeats,
        model=later.model or view.model,
        usage=view.usage.merged(later.usage),
        finish_reason=later.finish_reason or view.finish_reason,
        final=view.final or later.final,
    )

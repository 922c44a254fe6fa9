"""Ways to feed a dialect in tests: every stream whole, byte by byte and in random chunks, as h11 tests its readers."""

from __future__ import annotations

import random
from collections.abc import Iterable

import orjson

from agent.dialects import DIALECTS
from agent.dialects.base import EventView, ParsedRequest, RequestHead, StreamReader
from agent.dialects.sse import SseDecoder, encode
from agent.model.content import Edit, Role, Slot


def request(name: str, document: object, *, path: str = "/") -> ParsedRequest:
    """The document as the dialect reads it."""
    return DIALECTS[name].parse_request(RequestHead(method="POST", path=path), orjson.dumps(document))


def said(slots: Iterable[Slot]) -> list[tuple[Role, str]]:
    """Who says what."""
    return [(slot.role, slot.text) for slot in slots]


def assert_every_slot_can_be_edited(name: str, document: object) -> None:
    """Each slot in turn, and the document read again: the slot says the new text, all others what they said."""
    body = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    before = request(name, document).slots
    for slot in before:
        edits = (Edit(address=slot.address, start=0, end=len(slot.text), replacement="[X]\n"),)
        after = request(name, orjson.loads(DIALECTS[name].edit_request(body, edits))).slots
        assert Slot(address=slot.address, role=slot.role, text="[X]\n", tool=slot.tool) in after
        outer = slot.address[:1]
        assert [one for one in after if one.address[:1] != outer] == [
            one for one in before if one.address[:1] != outer
        ]


def stream(*events: dict[str, object] | bytes, named: bool = False) -> bytes:
    """An SSE stream of these documents; `named` gives each event the name in its `type`."""
    return b"".join(
        event
        if isinstance(event, bytes)
        else encode(str(event["type"]) if named else "", orjson.dumps(event))
        for event in events
    )


def read(name: str, data: bytes) -> list[EventView]:
    """What the stream's events mean, the same in every chunking."""
    whole = _read(DIALECTS[name].stream_reader(ParsedRequest()), [data])
    for chunks in ([data[at : at + 1] for at in range(len(data))], _random_chunks(data)):
        assert _read(DIALECTS[name].stream_reader(ParsedRequest()), chunks) == whole
    return whole


def texts(views: list[EventView]) -> dict[str, str]:
    """The text of every channel."""
    found: dict[str, str] = {}
    for view in views:
        for delta in view.deltas:
            found[delta.channel] = found.get(delta.channel, "") + delta.slot.text
    return found


def repeats(views: list[EventView]) -> list[tuple[Role, str]]:
    """What the stream says whole."""
    return [one for view in views for one in said(view.repeats)]


def closes(views: list[EventView]) -> list[str]:
    """The channels in the order in which they end."""
    return [channel for view in views for channel in view.closes]


def _read(reader: StreamReader, chunks: Iterable[bytes]) -> list[EventView]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()
    return [reader.read(event.event, event.data) for event in events]


def _random_chunks(data: bytes) -> list[bytes]:
    dice = random.Random(len(data))
    chunks = []
    at = 0
    while at < len(data):
        size = dice.randint(1, 40)
        chunks.append(data[at : at + size])
        at += size
    return chunks

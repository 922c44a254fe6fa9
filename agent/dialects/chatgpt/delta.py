"""ChatGPT's delta encoding (version v1): an answer as a list of changes to JSON documents that the page keeps.

A change is `{"p": JSON pointer, "o": operation, "v": value, "c": which document}`; what is left out is as it was in the
change before. Operations: `add` and `replace` a value, `append` to a string, an array or an object, `remove`,
`truncate` a string, and `patch`, whose value is a list of changes. The root of a document holds a `message`.

Pure, and the same whatever carries it: server-sent events, or the WebSocket to which a stream can be handed over.
Source: public clients of the page that apply it (2024 to 2026); the maker has not described it.

What a page holds is not copied here. Known are the texts that are under way: a change that cuts one (`truncate`) counts
characters which the page may no longer have, so it is said again as the text that it leaves (`Changes.instead`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from agent.dialects.base import Delta
from agent.dialects.chatgpt.content import Speaker, ends, has_ended, is_text, speaker_of, texts
from agent.dialects.moulds import new_slot
from agent.dialects.shapes import mapping, string
from agent.dialects.slots import Collector
from agent.model.content import Path, Slot

MAX_KNOWN = 16 * 1024 * 1024
"""Characters of texts under way that are remembered; beyond, a text that is cut is not said again."""
_DEPTH = 8  # of patches in patches
_CONTENT: Path = ("message", "content")


@dataclass(slots=True)
class Changes:
    """What one event of the encoding means."""

    deltas: list[Delta] = field(default_factory=list)
    repeats: list[Slot] = field(default_factory=list)
    closes: list[str] = field(default_factory=list)
    model: str = ""
    instead: bytes | None = None


@dataclass(slots=True)
class _Text:
    """A text under way. `pieces` are all that it holds."""

    channel: str
    pieces: list[str]


@dataclass(slots=True)
class _Document:
    """One of the page's documents: whose message it holds, and the texts that were begun in it."""

    number: int
    speaker: Speaker = field(default_factory=Speaker)
    texts: dict[Path, _Text] = field(default_factory=dict)
    lengths: dict[Path, int] = field(default_factory=dict)  # of arrays, as far as they are known


@dataclass(frozen=True, slots=True)
class _Change:
    """A change with nothing left out; `place` is where its value stands in the event."""

    pointer: str
    operation: str
    value: object
    place: Path


class DeltaReader:
    """Reads the changes of one stream, in order."""

    def __init__(self) -> None:
        self._pointer = ""
        self._operation = ""
        self._number: object = 0
        self._documents: dict[object, _Document] = {}
        self._made = 0  # documents and channels, for their names
        self._known = 0
        self._changes = Changes()
        self._apart = False  # the page carries something else forward than the service thinks

    def read(self, event: dict[str, object]) -> Changes:
        """What a change means. Never raises: what cannot be followed is passed over, but no string that is added."""
        changes = self._changes = Changes()
        if "c" in event and isinstance(event["c"], (int, str)):
            self._number = event["c"]
        self._apply(event, (), self._document(), 0)
        if changes.instead is not None:
            changes.instead = orjson.dumps(event)
        return changes

    def close(self) -> tuple[str, ...]:
        """The stream is over: the channels that were open."""
        closes = [each.channel for document in self._documents.values() for each in document.texts.values()]
        self._documents.clear()
        return tuple(closes)

    def _document(self) -> _Document:
        document = self._documents.get(self._number)
        if document is None:  # a number without a document of its own means the newest
            document = next(reversed(self._documents.values()), None) or self._new()
        return document

    def _new(self) -> _Document:
        self._made += 1
        self._documents.pop(self._number, None)
        document = self._documents[self._number] = _Document(self._made)
        return document

    def _apply(self, event: dict[str, object], path: Path, document: _Document, depth: int) -> None:
        value = event.get("v")
        self._carry(event, value)
        change = _Change(self._pointer, self._operation, value, (*path, "v"))
        match self._operation or ("append" if isinstance(value, str) else "add"):
            case "patch" if isinstance(value, list):
                self._patch(change, document, depth)
            case "truncate":
                self._truncate(change, document, event)
            case "remove":
                self._drop(document, _path(change.pointer))
            case "append":
                self._append(change, document)
            case _:
                self._set(change, document)

    def _carry(self, event: dict[str, object], value: object) -> None:
        """What the change leaves out is as it was in the one before, or plain from its value."""
        pointer, operation = event.get("p"), event.get("o")
        self._pointer = pointer if isinstance(pointer, str) else self._pointer
        if isinstance(operation, str):
            self._operation = operation
        elif isinstance(value, list) and _changes_in(value):
            self._operation = "patch"
        elif isinstance(value, dict) and "message" in value and not isinstance(pointer, str):
            self._pointer, self._operation = "", "add"
        if self._apart:
            if not (isinstance(pointer, str) and isinstance(operation, str)):
                event |= {"p": self._pointer, "o": self._operation}
                self._changes.instead = b""
            self._apart = False

    def _patch(self, change: _Change, document: _Document, depth: int) -> None:
        assert isinstance(change.value, list)
        if depth >= _DEPTH:
            self._prose(change, document)
            return
        for index, one in enumerate(change.value):
            if isinstance(one, dict):
                self._apply(one, (*change.place, index), document, depth + 1)
        if depth == 0:  # what follows is carried forward from the patch, not from its last part
            self._pointer, self._operation = change.pointer, change.operation

    def _set(self, change: _Change, document: _Document) -> None:
        """`add` and `replace`, and operations that are not known."""
        path = _path(change.pointer)
        if not path and isinstance(change.value, dict):
            self._begin(change, change.value)
            return
        self._drop(document, path)
        over = path == ("message", "status") and ends(change.value)
        if path == _CONTENT[:1] and isinstance(change.value, dict):
            document.speaker, over = speaker_of(change.value), has_ended(change.value)
        self._take(change.value, path, change.place, document)
        if over:
            self._drop(document, ())

    def _begin(self, change: _Change, root: dict[str, object]) -> None:
        """A new document takes the place of the one of that number."""
        if (before := self._documents.get(self._number)) is not None:
            self._drop(before, ())
        document = self._new()
        message = mapping(root.get("message"))
        document.speaker = speaker_of(message)
        metadata = mapping(message.get("metadata"))
        self._changes.model = string(metadata.get("model_slug", metadata.get("resolved_model_slug")))
        self._take(root, (), change.place, document)
        if has_ended(message):
            self._drop(document, ())

    def _append(self, change: _Change, document: _Document) -> None:
        path, value = _path(change.pointer), change.value
        match value:
            case str():
                self._lengthen(document, path, change.place, value)
            case list():
                first = document.lengths.get(path, 0)
                document.lengths[path] = first + len(value)
                for index, item in enumerate(value):
                    self._take(item, (*path, first + index), (*change.place, index), document)
            case dict():
                for key, item in value.items():
                    self._drop(document, (*path, key))
                    self._take(item, (*path, key), (*change.place, key), document)

    def _lengthen(self, document: _Document, path: Path, place: Path, piece: str) -> None:
        if document.speaker.echo or not piece:
            return
        text = document.texts.get(path)
        if text is None:
            text = self._text(document, path)
        if self._known < MAX_KNOWN:
            text.pieces.append(piece)
            self._known += len(piece)
        self._delta(document, text, place, piece)

    def _truncate(self, change: _Change, document: _Document, event: dict[str, object]) -> None:
        text = document.texts.get(path := _path(change.pointer))
        if text is None or type(change.value) is not int or self._known >= MAX_KNOWN:
            return
        units = "".join(text.pieces).encode("utf-16-le", "surrogatepass")
        left = units[: 2 * max(change.value, 0)].decode("utf-16-le", "replace")  # as JavaScript counts
        self._drop(document, path)
        event |= {"p": change.pointer, "o": "replace", "v": left}
        self._changes.instead, self._apart = b"", True
        self._lengthen(document, path, change.place, left)

    def _take(self, value: object, path: Path, place: Path, document: _Document) -> None:
        """A value that is now at `path`: texts of a content begin, texts elsewhere are said as a whole."""
        if document.speaker.echo:
            return
        if path[:2] == _CONTENT:
            self._content(value, path, place, document)
        elif path in ((), ("message",)) and isinstance(value, dict):
            for key, item in value.items():
                self._take(item, (*path, key), (*place, key), document)
        else:
            self._elsewhere(value, path, place)

    def _content(self, value: object, path: Path, place: Path, document: _Document) -> None:
        if isinstance(value, dict) and isinstance(parts := value.get("parts"), list):
            document.lengths[(*path, "parts")] = len(parts)
        elif isinstance(value, list):
            document.lengths[path] = len(value)
        elif isinstance(value, str) and not is_text(path[2:]):
            return
        for below, text in texts(value):
            begun = self._text(document, (*path, *below))
            if text:
                begun.pieces.append(text)
                self._known += len(text)
                self._delta(document, begun, (*place, *below), text)

    def _elsewhere(self, value: object, path: Path, place: Path) -> None:
        found = Collector()
        role = Speaker().role
        if isinstance(value, (dict, list)):
            found.prose(place, role, value)
        elif not path:  # a change of nobody knows what
            found.text(place, role, value)
        else:
            named = Collector()
            named.field((), str(path[-1]), role, value)
            if named.slots:  # a string under a name that bears text
                found.prose(place, role, value)
        self._changes.repeats += found.slots

    def _prose(self, change: _Change, document: _Document) -> None:
        """A patch too deep to be followed: its texts, said as a whole."""
        if not document.speaker.echo:
            for below, text in texts(change.value):
                slot = new_slot(((*change.place, *below),), document.speaker.role, text)
                self._changes.repeats.append(slot)

    def _text(self, document: _Document, path: Path) -> _Text:
        """A text that begins."""
        if path in document.texts:
            self._drop(document, path)
        self._made += 1
        name = "/".join(str(step) for step in path[1:])
        text = document.texts[path] = _Text(f"message/{document.number}/{name}/{self._made}", [])
        return text

    def _delta(self, document: _Document, text: _Text, place: Path, piece: str) -> None:
        speaker = document.speaker
        slot = new_slot((place,), speaker.role, piece, speaker.tool)
        self._changes.deltas.append(Delta(channel=text.channel, slot=slot, json_fragment=speaker.json))

    def _drop(self, document: _Document, path: Path) -> None:
        """What was at `path` and below is gone, or will not grow."""
        depth = len(path)
        for each in [place for place in document.texts if place[:depth] == path]:
            text = document.texts.pop(each)
            self._known -= sum(map(len, text.pieces))
            self._changes.closes.append(text.channel)


def _changes_in(values: list[object]) -> bool:
    return any(isinstance(each, dict) and "v" in each and ("p" in each or "o" in each) for each in values)


def _path(pointer: str) -> Path:
    """The steps of a JSON pointer (RFC 6901); digits are indices."""
    if not pointer:
        return ()
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/"))
    return tuple(int(step) if step.isascii() and step.isdigit() else step for step in steps)

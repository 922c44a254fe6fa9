"""The files that a body carries: their bytes taken out of it, put back into it, or left out of it.

Works on addresses (`Held`) and knows no API. Bytes that no change touches stay as they came.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import quote_from_bytes, unquote_to_bytes

import orjson

from agent.dialects.jsonedits import edit
from agent.dialects.jsontext import parse
from agent.dialects.jsontokens import locate
from agent.dialects.multipart import parts_of, with_file
from agent.errors import ContentError
from agent.model.content import Coding, Edit, Held, Path

_URL_SAFE = str.maketrans("-_", "+/")
_DATA = "data:"


def fetch(body: bytes, files: tuple[Held, ...]) -> tuple[bytes | None, ...]:
    """The bytes of each file; None where they are not in the body, or not in the form they should be in. The body is
    read once for all."""
    document: object = None
    read = False
    found: list[bytes | None] = []
    for held in files:
        match held.coding:
            case Coding.BODY:
                found.append(body)
            case Coding.PART:
                found.append(_part(body, held.path))
            case Coding.BASE64:
                if not read:
                    document, read = _document(body), True
                found.append(_unwrapped(_at(document, held.path)))
    return tuple(found)


def put(body: bytes, changes: Mapping[Held, bytes]) -> bytes:
    """The body with other bytes in those files. Raises ContentError."""
    edits: list[Edit] = []
    document = _document(body) if any(held.coding is Coding.BASE64 for held in changes) else None
    for held, data in changes.items():
        match held.coding:
            case Coding.BODY:
                body = data
            case Coding.PART:
                body = with_file(body, _place(held.path), data)
            case Coding.BASE64:
                said = _at(document, held.path)
                if not isinstance(said, str):
                    raise ContentError("a file is not where it was")
                text = _wrapped(said, data)
                edits.append(Edit(address=(held.path,), start=0, end=len(said), replacement=text))
    return edit(body, tuple(edits))


def without(body: bytes, files: Mapping[Held, str]) -> bytes:
    """The body with a text part in the place of each of those files. Raises ContentError, also where one is no part of
    a message."""
    if any(not held.element for held in files):
        raise ContentError("a file cannot be left out of this request")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ContentError("not UTF-8") from None
    spans = locate(text, {held.element for held in files})
    pieces: list[str] = []
    done = 0
    for held in sorted(files, key=lambda each: spans[each.element]):
        start, end = spans[held.element]
        if start < done:  # inside one that is left out already
            continue
        part = {"type": held.text_type} if held.text_type else {}
        pieces += text[done:start], orjson.dumps({**part, "text": files[held]}).decode()
        done = end
    return "".join((*pieces, text[done:])).encode()


def _document(body: bytes) -> object:
    try:
        return parse(body)
    except ContentError:
        return None


def _at(document: object, path: Path) -> object:
    for step in path:
        match document, step:
            case dict(), str():
                document = document.get(step)
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                return None
    return document


def _part(body: bytes, path: Path) -> bytes | None:
    try:
        parts = parts_of(body, many=True)
    except ContentError:
        return None
    place = _place(path)
    return body[parts[place].start : parts[place].end] if place < len(parts) else None


def _place(path: Path) -> int:
    place = path[-1]
    assert isinstance(place, int)
    return place


def _unwrapped(said: object) -> bytes | None:
    if not isinstance(said, str):
        return None
    if said[: len(_DATA)].lower() == _DATA:
        head, _, said = said.partition(",")
        if not _is_base64(head):
            return unquote_to_bytes(said)
    return _bytes_of(said)


def _bytes_of(text: str) -> bytes | None:
    """Base64 (RFC 4648) as providers read it: either alphabet, with or without padding and line breaks."""
    text = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _wrapped(said: str, data: bytes) -> str:
    """`data` in the form of what stood there."""
    head = ""
    if said[: len(_DATA)].lower() == _DATA:
        head, _, said = said.partition(",")
        if not _is_base64(head):
            return f"{head},{quote_from_bytes(data)}"
        head += ","
    url_safe = not {"-", "_"}.isdisjoint(said)
    coded = base64.urlsafe_b64encode(data) if url_safe else base64.b64encode(data)
    return head + coded.decode()


def _is_base64(head: str) -> bool:
    return "base64" in head.split(";")[1:]

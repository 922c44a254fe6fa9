"""Where the tokens of a JSON text stand. Texts given here have passed `jsontext.parse`: nothing is validated again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from agent.errors import ContentError
from agent.model.content import Path

_SPACE = " \t\r\n"
_STRUCTURE = " \t\r\n{}[],:"
_SKIPPER = json.JSONDecoder(parse_int=str, parse_float=str)

type Span = tuple[int, int]
"""Start and end of a token in its text, as Python str indices."""

type _Wanted = dict[str | int, "_Wanted"]


def locate(text: str, paths: Iterable[Path]) -> dict[Path, Span]:
    """Where the tokens of the values at `paths` stand: `text[start:end]` is the token as written.

    Raises ContentError where a path leads nowhere. Containers that hold no wanted value are skipped by the standard
    library's C scanner.
    """
    wanted: _Wanted = {}
    asked = set(paths)
    for path in asked:
        node = wanted
        for step in path:
            node = node.setdefault(step, {})
    found: dict[Path, Span] = {}
    try:
        _walk(text, _next(text, 1 if text.startswith("\ufeff") else 0), wanted, (), found)
    except (ValueError, IndexError, RecursionError):
        raise ContentError("not a JSON document") from None
    if not asked <= found.keys():
        raise ContentError("an edit's address leads nowhere in this document")
    return {path: found[path] for path in asked}


def _walk(text: str, at: int, wanted: _Wanted, path: Path, found: dict[Path, Span]) -> int:
    """Note where the value at `at` and the wanted values inside it stand; returns the value's end."""
    if wanted and text[at] == "{":
        end = _walk_object(text, at, wanted, path, found)
    elif wanted and text[at] == "[":
        end = _walk_array(text, at, wanted, path, found)
    else:
        end = _SKIPPER.raw_decode(text, at)[1]
    found[path] = at, end
    return end


def _walk_object(text: str, at: int, wanted: _Wanted, path: Path, found: dict[Path, Span]) -> int:
    at = _next(text, at + 1)
    while text[at] != "}":
        key, at = _SKIPPER.raw_decode(text, at)
        at = _next(text, _next(text, at) + 1)  # past the colon
        deeper = wanted.get(key)
        end = (
            _SKIPPER.raw_decode(text, at)[1]
            if deeper is None
            else _walk(text, at, deeper, (*path, key), found)
        )
        at = _next(text, end)
        if text[at] == ",":
            at = _next(text, at + 1)
    return at + 1


def _walk_array(text: str, at: int, wanted: _Wanted, path: Path, found: dict[Path, Span]) -> int:
    at = _next(text, at + 1)
    index = 0
    while text[at] != "]":
        deeper = wanted.get(index)
        end = (
            _SKIPPER.raw_decode(text, at)[1]
            if deeper is None
            else _walk(text, at, deeper, (*path, index), found)
        )
        index += 1
        at = _next(text, end)
        if text[at] == ",":
            at = _next(text, at + 1)
    return at + 1


def _next(text: str, at: int) -> int:
    """The first position from `at` on that is no white space."""
    while text[at] in _SPACE:
        at += 1
    return at


def tokens(text: str, low: int, high: int) -> Iterator[tuple[int, int, bool]]:
    """The strings and scalars that overlap `[low, high)`: start, end, and whether it is an object's key."""
    at = 0
    while at < high:
        quote = text.find('"', at)
        if quote < 0:
            quote = len(text)
        if quote > low:
            yield from _scalars(text, max(at, low), quote, low, high)
        if quote >= high:
            return
        at = _string_end(text, quote)
        if at > low:
            after = at
            while after < len(text) and text[after] in _SPACE:
                after += 1
            yield quote, at, text[after : after + 1] == ":"


def _scalars(text: str, at: int, end: int, low: int, high: int) -> Iterator[tuple[int, int, bool]]:
    """The numbers and literals in a stretch without strings, up to `end`, that overlap `[low, high)`."""
    while at and text[at - 1] not in _STRUCTURE and text[at - 1] != '"':
        at -= 1
    while at < min(end, high):
        if text[at] in _STRUCTURE:
            at += 1
            continue
        start = at
        while at < end and text[at] not in _STRUCTURE:
            at += 1
        if at > low:
            yield start, at, False


def _string_end(text: str, quote: int) -> int:
    """The position after the string that opens at `quote`."""
    end = text.find('"', quote + 1)
    while text[end - 1] == "\\":
        first = end - 1
        while text[first - 1] == "\\":
            first -= 1
        if (end - first) % 2 == 0:  # the backslashes escape each other
            break
        end = text.find('"', end + 1)
    return end + 1


def decoded_offset(inner: str, offset: int, *, up: bool) -> int:
    """Where the raw position `offset` in a string token's inside stands in the decoded text. A position in the midst
    of an escape is the character's start, or its end with `up`."""
    shrunk = 0
    at = inner.find("\\", 0, offset)
    while 0 <= at < offset:
        width = _escape_width(inner, at)
        if at + width > offset:
            return at - shrunk + (1 if up else 0)
        shrunk += width - 1
        at = inner.find("\\", at + width, offset)
    return offset - shrunk


def _escape_width(inner: str, at: int) -> int:
    """How many characters the escape at `at` takes: 2, 6, or 12 for a surrogate pair (RFC 8259, section 7)."""
    if inner[at + 1] != "u":
        return 2
    high = 0xD800 <= int(inner[at + 2 : at + 6], 16) < 0xDC00
    if high and inner[at + 6 : at + 8] == "\\u" and 0xDC00 <= int(inner[at + 8 : at + 12], 16) < 0xE000:
        return 12
    return 6

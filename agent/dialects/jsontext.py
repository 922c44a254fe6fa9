"""JSON documents, read strictly: no repeated keys, bounded depth. Knows nothing of any API's fields.

Decided here, where RFC 8259 leaves room:
- duplicate keys (section 4) are refused: parsers differ on which one counts, so a second `content` could slip past;
- a UTF-8 byte order mark (section 8.1) is tolerated and kept; other encodings, NaN and Infinity are refused;
- an escaped lone surrogate (section 8.2), which clients that cut strings in half do send, reads as U+FFFD;
- containers may nest `MAX_DEPTH` deep, and a number too large for a double is refused.
"""

from __future__ import annotations

import json

import orjson

from agent.errors import ContentError

MAX_DEPTH = 190  # what reads a document may recurse thrice per level
_ORJSON_DEPTH = 254  # to which orjson writes
_BOM = b"\xef\xbb\xbf"
_OPENINGS = frozenset('{["')
_SPACE = " \t\r\n"

type _Pairs = list[tuple[str, object]]


def parse(document: bytes | str) -> object:
    """The value that the document holds.

    Raises ContentError where it is not JSON, nests deeper than `MAX_DEPTH` or repeats a key in an object. The message
    names a position at most, never content.
    """
    source = document.encode("utf-8", "replace") if isinstance(document, str) else document.removeprefix(_BOM)
    try:
        value = orjson.loads(source)
    except orjson.JSONDecodeError as error:
        source = _without_lone_surrogates(source)
        try:
            value = orjson.loads(source)
        except orjson.JSONDecodeError:
            raise ContentError(f"not a JSON document (at character {error.pos})") from None
    wrapped = value
    if source.count(b"[") + source.count(b"{") > MAX_DEPTH:  # else it cannot be too deep
        for _ in range(_ORJSON_DEPTH - MAX_DEPTH):
            wrapped = [wrapped]
    try:
        written = orjson.dumps(wrapped)
    except TypeError:  # too deep is the only thing orjson reads but cannot write
        raise ContentError(f"JSON nested deeper than {MAX_DEPTH} levels") from None
    if _repeats_key(source, written):
        raise ContentError("JSON object with a repeated key", hint="Send every key of an object once.")
    return value


def embedded(text: str) -> dict[str, object] | list[object] | str | None:
    """The JSON document that `text` itself is, or None where it is none (or a scalar, which needs no second look).

    A JSON string counts where it holds an escape: `"a \\"quoted\\" word"` is a text inside a text.
    """
    opening = text[:64].lstrip(_SPACE)[:1]
    if opening not in _OPENINGS or (opening == '"' and "\\" not in text):
        return None
    try:
        value = parse(text)
    except ContentError:
        return None
    match value:
        case dict() | list() | str():
            return value
        case _:
            return None


def number_text(value: int | float) -> str:
    """How a number reads as text: all its digits, no exponent where it is a whole number."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _without_lone_surrogates(source: bytes) -> bytes:
    """The source with each escaped lone surrogate replaced by the escape of U+FFFD, which takes the same room."""
    mended = bytearray(source)
    at = source.find(b"\\")
    while at >= 0:
        unit = _surrogate(source, at)
        if 0xD800 <= unit < 0xDC00 and _surrogate(source, at + 6) >= 0xDC00:
            at += 12
        elif unit:
            mended[at + 2 : at + 6] = b"fffd"
            at += 6
        else:
            at += 2
        at = source.find(b"\\", at)
    return bytes(mended)


def _surrogate(source: bytes, at: int) -> int:
    """The UTF-16 surrogate escaped at `at`, or 0 where there is none."""
    if source[at : at + 2] != b"\\u" or len(source) < at + 6:
        return 0
    try:
        unit = int(source[at + 2 : at + 6], 16)
    except ValueError:
        return 0
    return unit if 0xD800 <= unit < 0xE000 else 0


def _repeats_key(source: bytes, written: bytes) -> bool:
    """Whether reading `source` lost a key, `written` being what was read, written again.

    Every string costs two quotes and every quote in it one more, in both texts, unless it is spelled `\\u0022`. So
    the counts differ exactly where a key (and its value) was dropped. With that spelling the slow way decides.
    """
    if source.find(b"\\u0022") < 0:
        return source.count(b'"') != written.count(b'"')
    repeated = False

    def check(pairs: _Pairs) -> None:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in pairs}) != len(pairs)

    json.loads(source, object_pairs_hook=check, parse_int=str, parse_float=str)
    return repeated

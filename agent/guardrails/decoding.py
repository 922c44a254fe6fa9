"""What encoded text says: base64, hexadecimal, escapes, strings joined by code, tokens broken over lines.

Pure: bytes in, decoded bytes out, with the way back to the offsets they came from where there is one. Decides nothing:
`carriers` says where to look, the rules say what is found there.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEX = frozenset(b"0123456789abcdefABCDEF")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PEEK = 64  # characters whose decoding tells whether the rest is worth it; divisible by four
_WHITE = str.maketrans("", "", "\n\r\t")
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """Text with parts of it replaced, and where each piece of it came from.

    Piece i begins at `at[i]` of `data` and stands for the source from `source[i]` on. `whole[i]` says that it stands
    for it as one, an escape for example; others are copied byte by byte.
    """

    data: bytes
    at: Sequence[int]
    source: Sequence[int]
    whole: Sequence[bool]

    def start(self, place: int) -> int:
        """Where in the source the byte at `place` begins."""
        piece = bisect_right(self.at, place) - 1
        return self.source[piece] + (0 if self.whole[piece] else place - self.at[piece])

    def end(self, place: int) -> int:
        """Where in the source the byte before `place` ends."""
        piece = bisect_right(self.at, place - 1) - 1
        if self.whole[piece]:
            return self.source[piece + 1]
        return self.source[piece] + place - self.at[piece]

    def crosses(self, start: int, end: int) -> bool:
        """Whether `data[start:end]` is made of more than one piece."""
        return bisect_right(self.at, start) != bisect_right(self.at, end - 1)


class Rewriting:
    """Builds a `Rewritten`, piece by piece in the order of the source."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._at: list[int] = []
        self._source: list[int] = []
        self._whole: list[bool] = []
        self._length = 0

    def copy(self, data: bytes, start: int, end: int) -> None:
        """Take `data[start:end]` over."""
        if start < end:
            self._take(data[start:end], start, whole=False)

    def replace(self, start: int, by: bytes) -> None:
        """Let `by` stand for what begins at `start` and ends where the next piece begins."""
        self._take(by, start, whole=True)

    def done(self, end: int) -> Rewritten:
        """The result; `end` is where the last piece ends in the source."""
        at = (*self._at, self._length)
        source = (*self._source, end)
        return Rewritten(data=b"".join(self._parts), at=at, source=source, whole=(*self._whole, False))

    def _take(self, piece: bytes, source: int, *, whole: bool) -> None:
        self._parts.append(piece)
        self._at.append(self._length)
        self._source.append(source)
        self._whole.append(whole)
        self._length += len(piece)


def base64_text(run: bytes) -> str:
    """The printable text that `run` (standard or URL-safe alphabet, RFC 4648, padding optional) encodes, as UTF-8 or,
    as PowerShell's -EncodedCommand does, UTF-16; empty where it is none."""
    run = run.rstrip(b"=").translate(_URL_SAFE)
    if len(run) % 4 == 1:
        run = run[:-1]  # a stray character at the end, such as the first of what follows
    if not _base64_printable(run[:_PEEK]):
        return ""
    return _base64_printable(run)


def hex_text(run: bytes) -> str:
    """The printable text that `run` (hexadecimal digits) encodes; empty where it is none."""
    if len(run) % 2 or not _HEX.issuperset(run):
        return ""
    return _printable(binascii.unhexlify(run))


def escape_value(escape: bytes) -> int | bytes:
    r"""What one escape stands for: a byte (`%41`, `\x41`, as an int below 256 that is part of some encoding) or, as
    UTF-8, a character (`\u0041`, `\u{41}`, `&#65;`, `&#x41;`). A surrogate is given as its number, 0xD800 and more."""
    if escape[:1] == b"%" or escape[:2] == b"\\x":
        return int(escape[-2:], 16)
    digits = escape[2:].strip(b"{};")
    hexadecimal = escape[:1] == b"\\" or digits[:1] in (b"x", b"X")
    code = int(digits.lstrip(b"xX"), 16 if hexadecimal else 10)
    if code in _SURROGATES:
        return code
    return chr(code).encode() if code <= 0x10FFFF else b"?"


def unescaped(data: bytes, start: int, end: int, escapes: Iterable[tuple[int, int]]) -> Rewritten:
    """`data[start:end]` with its escapes, given by their places, replaced by what they stand for."""
    result = Rewriting()
    at = start
    high, high_begin, high_end = 0, 0, -1
    for begin, stop in escapes:
        result.copy(data, at, begin)
        at = stop
        value = escape_value(data[begin:stop])
        if isinstance(value, bytes):
            result.replace(begin, value)
        elif value < 256:
            result.replace(begin, bytes((value,)))
        elif value < 0xDC00:
            high, high_begin, high_end = value, begin, stop
        elif high_end == begin:
            code = 0x10000 + ((high - 0xD800) << 10) + (value - 0xDC00)
            result.replace(high_begin, chr(code).encode())
    result.copy(data, at, end)
    return result.done(end)


def _base64_printable(run: bytes) -> str:
    try:
        decoded = base64.b64decode(run + b"=" * (-len(run) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _printable(decoded)


def _printable(decoded: bytes) -> str:
    if decoded[1:2] == b"\0" and not len(decoded) % 2:
        text = decoded.decode("utf-16-le", "replace")
    else:
        # a run cut for a first look, or by whoever wrapped it, may end inside a character
        text = decoded.decode("utf-8", "replace").rstrip("\ufffd")
    plain = text if text.isprintable() else text.translate(_WHITE)
    return text if plain and plain.isprintable() and "\ufffd" not in plain else ""

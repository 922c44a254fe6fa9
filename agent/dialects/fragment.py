"""Text that arrives as pieces of a JSON document, such as a tool call's arguments, seen as it reads.

Owns the decoded view: string escapes are decoded as they come, also when a chunk cuts one in half; structural
characters, white space and numbers stay. Detectors scan the view; `raw_offset` says where in the raw text an edit
belongs. Whether the document is valid is not asked here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

_SHORT = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class FragmentText:
    """The decoded view of one JSON text that is fed in pieces (RFC 8259, section 7).

    An escape that is no escape stays as it is; a lone surrogate reads as U+FFFD. Memory grows with the number of
    escapes and strings, not with the text.
    """

    def __init__(self) -> None:
        self._pending = ""  # an escape of which only the beginning has come
        self._raw = 0  # raw characters consumed
        self._length = 0  # decoded characters given out
        self._quotes: list[int] = []  # decoded offsets of the quotes that open and close strings, alternately
        self._escape_ends: list[int] = []  # decoded offsets behind each escape …
        self._raw_ends: list[int] = []  # … and the raw offsets that belong to them

    def feed(self, raw: str) -> str:
        """The decoded text that `raw` adds to what has been given out."""
        text = self._pending + raw
        self._pending = ""
        pieces: list[str] = []
        at = 0
        quote = -1
        while at < len(text):
            if quote < at:
                quote = text.find('"', at)
                quote = len(text) if quote < 0 else quote
            inside = len(self._quotes) % 2 == 1
            escape = text.find("\\", at, quote) if inside else -1
            if escape < 0:
                stop = min(quote + 1, len(text))
                if quote < len(text):
                    self._quotes.append(self._length + quote - at)
                self._take(text[at:stop], pieces)
                at = stop
                continue
            self._take(text[at:escape], pieces)
            width = self._escape(text, escape, pieces, final=False)
            if not width:
                self._pending = text[escape:]
                break
            at = escape + width
        return "".join(pieces)

    def finish(self) -> str:
        """What the end of the text adds: an escape that was never completed, as it reads now."""
        text, self._pending = self._pending, ""
        pieces: list[str] = []
        at = 0
        while at < len(text):
            if text[at] == "\\":
                at += self._escape(text, at, pieces, final=True)
            else:
                self._take(text[at], pieces)
                at += 1
        return "".join(pieces)

    def raw_offset(self, decoded_offset: int) -> int:
        """Where in the raw text, counted from its beginning, the character at `decoded_offset` begins. For the end of
        the view: the end of the raw text that it stands for."""
        index = bisect_right(self._escape_ends, decoded_offset)
        if index == 0:
            return decoded_offset
        return self._raw_ends[index - 1] + decoded_offset - self._escape_ends[index - 1]

    def in_string(self, decoded_offset: int) -> bool:
        """Whether the character at `decoded_offset` is a string's content, no quote or structure. For the end of the
        view: whether a string is open."""
        index = bisect_left(self._quotes, decoded_offset)
        is_quote = index < len(self._quotes) and self._quotes[index] == decoded_offset
        return index % 2 == 1 and not is_quote

    def _take(self, plain: str, pieces: list[str]) -> None:
        pieces.append(plain)
        self._raw += len(plain)
        self._length += len(plain)

    def _escape(self, text: str, at: int, pieces: list[str], *, final: bool) -> int:
        """Decode the escape at `at`. Returns how many characters it took, 0 where its end has not come."""
        decoded, width = _decode(text, at, final=final)
        if width:
            pieces.append(decoded)
            self._raw += width
            self._length += len(decoded)
            if width != len(decoded):
                self._escape_ends.append(self._length)
                self._raw_ends.append(self._raw)
        return width


def _decode(text: str, at: int, *, final: bool) -> tuple[str, int]:
    """The character that the escape at `at` stands for and the escape's width; width 0 where more text must come."""
    letter = text[at + 1 : at + 2]
    if not letter:
        return ("\\", 1) if final else ("", 0)
    if letter != "u":
        return (_SHORT[letter], 2) if letter in _SHORT else ("\\" + letter, 2)
    unit = _unit(text, at, final=final)
    if unit is None:
        return "", 0
    if unit < 0:
        return "\\u", 2
    if not 0xD800 <= unit < 0xE000:
        return chr(unit), 6
    return ("\ufffd", 6) if unit >= 0xDC00 else _decode_pair(text, at, unit, final=final)


def _decode_pair(text: str, at: int, high: int, *, final: bool) -> tuple[str, int]:
    """The same where the escape at `at` is a high surrogate, which counts only together with a low one."""
    rest = text[at + 6 : at + 8]
    if rest == "\\u":
        low = _unit(text, at + 6, final=final)
        if low is None:
            return "", 0
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12
    elif not final and "\\u".startswith(rest):
        return "", 0
    return "\ufffd", 6


def _unit(text: str, at: int, *, final: bool) -> int | None:
    r"""The number that `\uXXXX` at `at` spells: -1 where it is malformed, None where more text must come."""
    digits = text[at + 2 : at + 6]
    if not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return -1
    if len(digits) < 4:
        return -1 if final else None
    return int(digits, 16)

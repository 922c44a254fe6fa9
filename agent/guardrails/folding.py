"""Text as it reads instead of as it is spelt: invisible characters left out, look-alikes made what they imitate.

Owns the folded view that all rules scan, and the way back from its offsets. Zero-width characters in runs of at most
three are dropped (longer runs stay: they are themselves a finding), full-width and mathematical letters, typographic
quotes, hyphens and spaces become ASCII, and Cyrillic or Greek letters that stand right behind an ASCII letter or digit
become the Latin letters they look like, unless that ASCII letter belongs to an escape. Works in pieces: what it gives
does not depend on how the text was cut.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from agent.guardrails.offsets import decoded, encoded
from agent.guardrails.regex import Regexp, compiled

KEPT_RUN = 4
"""From this length on a run of zero-width characters is kept."""

_MEMORY = 1 << 20
_FEW = 32  # kinds of foreign characters in one text
_ZERO_WIDTH = "\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff"
_SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_HYPHENS = "\u2010\u2011\u2212\ufe63\uff0d"
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'}
_ALIKE = dict(
    zip(
        "авсԁеɡһіјӏорԛѕтхуԝАВСЕНІЈКМОРЅТХУαεικορτυνΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
        "abcdeghijlopqstxywABCEHIJKMOPSTXYaeikoptuvABEZHIKMNOPTYX",
        strict=True,
    )
)
_FULL_WIDTH = range(0xFF01, 0xFF5F)  # in ASCII's order, from the exclamation mark on
_MATHEMATICAL = range(0x1D400, 0x1D6A4)  # thirteen alphabets of 52 letters
_MATHEMATICAL_DIGITS = range(0x1D7CE, 0x1D800)  # five rows of ten digits
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Folder:
    """What folding needs, compiled once; immutable."""

    def __init__(self) -> None:
        self.invisible = _compiled(f"[{_ZERO_WIDTH}]+")
        self.long_run = _compiled(f"[{_ZERO_WIDTH}]{{{KEPT_RUN},}}")
        self.ascii = {char: _ascii(char) for char in _foreign()}
        self.foreign = _compiled(f"[{''.join(self.ascii)}]")
        self.alike = _compiled(f"[0-9A-Za-z][{''.join(_ALIKE)}]+")
        self.any = _compiled(f"[{_ZERO_WIDTH}{''.join(self.ascii)}{''.join(_ALIKE)}]")

    def folding(self) -> Folding:
        """The folded view of one text."""
        return Folding(self)


class Folding:
    """The folded view of one text that is fed in pieces. Memory grows with what was dropped, not with the text."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._pending = ""  # invisible characters whose run may still become long enough to be kept
        self._keeping = False  # the run under way is long: all of it is kept
        self._last = ""  # the last two characters that were given
        self._length = 0  # characters given out
        self._places: list[int] = []  # offsets in the view before which characters were dropped …
        self._dropped: list[int] = []  # … and how many had been by then

    @property
    def straight(self) -> bool:
        """Whether offsets in the view are offsets in the text."""
        return not self._places

    def feed(self, text: str) -> str:
        """What `text` adds to the view."""
        if not self._pending and (text.isascii() or self._folder.any.search(encoded(text)) is None):
            return self._given(text)
        text = self._pending + text
        self._pending = ""
        pieces: list[str] = []
        if self._keeping:
            rest = text.lstrip(_ZERO_WIDTH)
            if len(rest) < len(text):
                pieces.append(self._kept(text[: len(text) - len(rest)]))
            text = rest
        visible = text.rstrip(_ZERO_WIDTH)
        if len(text) - len(visible) < KEPT_RUN:
            text, self._pending = visible, text[len(visible) :]
        data = encoded(text)
        at = 0
        while (match := self._folder.long_run.search(data, at)) is not None:
            pieces.append(self._visible(data[at : match.start()]))
            pieces.append(self._kept(data[match.start() : match.end()].decode()))
            at = match.end()
        pieces.append(self._visible(data[at:]))
        return "".join(pieces)

    def finish(self) -> str:
        """The text has ended. What the end adds to the view is nothing; what was pending is dropped."""
        self._drop(0, len(self._pending))
        self._pending = ""
        return ""

    def start(self, offset: int) -> int:
        """Where in the text the character at `offset` of the view stands; for the end of the view: the end of all that
        was decided."""
        index = bisect_right(self._places, offset)
        return offset + self._dropped[index - 1] if index else offset

    def end(self, offset: int) -> int:
        """Where in the text the character before `offset` of the view ends."""
        return self.start(offset - 1) + 1 if offset else 0

    def _given(self, text: str) -> str:
        if text:
            self._keeping = False
            self._length += len(text)
            self._last = (self._last + text[-2:])[-2:]
        return text

    def _kept(self, run: str) -> str:
        """A long run of invisible characters, or more of one."""
        self._keeping = True
        self._length += len(run)
        self._last = run[-1]
        return run

    def _visible(self, data: bytes) -> str:
        """Text in which all runs of invisible characters are short."""
        if not data.isascii():
            data = self._imitated(self._spelt_out(self._without_invisible(data)))
        return self._given(decoded(data))

    def _without_invisible(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        at = ahead = 0
        while (match := self._folder.invisible.search(data, at)) is not None:
            start, end = match.span()
            pieces.append(data[at:start])
            ahead += len(decoded(pieces[-1]))
            self._drop(ahead, len(decoded(data[start:end])))
            at = end
        return b"".join(pieces) + data[at:]

    def _spelt_out(self, data: bytes) -> bytes:
        """`data` with full-width and other forms made ASCII, character by character.

        One kind of character after the other, each with all that follow: `str.translate` takes ten times as long.
        """
        known = self._folder.ascii
        at = kinds = 0
        while (match := self._folder.foreign.search(data, at)) is not None:
            if kinds == _FEW:
                text = decoded(data)
                return encoded(
                    text.translate({ord(char): known[char] for char in set(text) if char in known})
                )
            at, end = match.span()
            char = data[at:end]
            data = data.replace(char, known[char.decode()].encode())
            kinds += 1
        return data

    def _imitated(self, data: bytes) -> bytes:
        """`data` with Cyrillic and Greek letters behind ASCII ones made Latin."""
        before = b""
        if self._last[-1:].isascii():  # a chain that was let stand goes on standing
            before = encoded(self._last)
        data = before + data
        pieces: list[bytes] = []
        at = 0
        while (match := self._folder.alike.search(data, at)) is not None:
            place, end = match.span()
            pieces.append(data[at:place])
            imitated = data[place:end]
            if data[place - 1 : place] != b"\\":  # the letter of an escape is no part of the word behind it
                imitated = "".join([_ALIKE.get(char, char) for char in imitated.decode()]).encode()
            pieces.append(imitated)
            at = end
        return (b"".join(pieces) + data[at:])[len(before) :]

    def _drop(self, ahead: int, count: int) -> None:
        """Note that `count` characters were dropped before the one that comes `ahead` characters from here."""
        if not count:
            return
        place, count = self._length + ahead, count + (self._dropped[-1] if self._dropped else 0)
        if self._places and self._places[-1] == place:
            self._dropped[-1] = count
        else:
            self._places.append(place)
            self._dropped.append(count)


def _foreign() -> Iterator[str]:
    """All characters that are made ASCII wherever they stand."""
    yield from _SPACES
    yield from _HYPHENS
    yield from _QUOTES
    for codes in (_FULL_WIDTH, _MATHEMATICAL, _MATHEMATICAL_DIGITS):
        yield from map(chr, codes)


def _ascii(char: str) -> str:
    """The ASCII character that a foreign one stands for."""
    code = ord(char)
    if char in _SPACES:
        return " "
    if char in _HYPHENS:
        return "-"
    if char in _QUOTES:
        return _QUOTES[char]
    if code in _MATHEMATICAL:
        return _LETTERS[(code - _MATHEMATICAL.start) % len(_LETTERS)]
    if code in _MATHEMATICAL_DIGITS:
        return str((code - _MATHEMATICAL_DIGITS.start) % 10)
    return chr(code - _FULL_WIDTH.start + 0x21)


def _compiled(pattern: str) -> Regexp:
    return compiled(pattern, memory=_MEMORY, captures=False)

"""Text as it reads instead of as it is spelt: invisible characters left out, look-alikes made what they imitate.

Owns the folded view that all rules scan, and the way back from its offsets. Zero-width characters in runs of at most
three are dropped (longer runs stay: they are themselves a finding), full-width and mathematical letters, typographic
quotes, hyphens and spaces become ASCII, and Cyrillic or Greek letters that stand right behind an ASCII letter or digit
become the Latin letters they look like. Works in pieces: what it gives does not depend on how the text was cut.
"""

from __future__ import annotations

from bisect import bisect_right

from agent.guardrails.regex import Regexp, compiled

KEPT_RUN = 4
"""From this length on a run of zero-width characters is kept."""

_MEMORY = 1 << 20
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
_MATHEMATICAL = range(0x1D400, 0x1D6A4)  # thirteen alphabets of 52 letters
_MATHEMATICAL_DIGITS = range(0x1D7CE, 0x1D800)  # five rows of ten digits
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Folder:
    """What folding needs, compiled once; immutable."""

    def __init__(self) -> None:
        self.invisible = _compiled(f"[{_ZERO_WIDTH}]+")
        self.foreign = _compiled(
            f"[{_SPACES}{_HYPHENS}{''.join(_QUOTES)}\uff01-\uff5e"
            rf"\x{{1D400}}-\x{{1D6A3}}\x{{1D7CE}}-\x{{1D7FF}}]"
        )
        self.alike = _compiled(f"[0-9A-Za-z][{''.join(_ALIKE)}]+")

    def folding(self) -> Folding:
        """The folded view of one text."""
        return Folding(self)


class Folding:
    """The folded view of one text that is fed in pieces. Memory grows with what was dropped, not with the text."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._pending = ""  # invisible characters whose run may still become long enough to be kept
        self._keeping = False  # the run under way is long: all of it is kept
        self._latin = False  # what was given last is an ASCII letter or digit, or was made one
        self._length = 0  # characters given out
        self._places: list[int] = []  # offsets in the view before which characters were dropped …
        self._dropped: list[int] = []  # … and how many had been by then

    @property
    def straight(self) -> bool:
        """Whether offsets in the view are offsets in the text."""
        return not self._places

    def feed(self, text: str) -> str:
        """What `text` adds to the view."""
        if text.isascii() and not self._pending:
            return self._plain(text)
        data = text.encode("utf-8", "surrogatepass")
        pieces: list[str] = []
        at = 0
        while (match := self._folder.invisible.search(data, at)) is not None:
            if match.start() > at:
                pieces.append(self._visible(data[at : match.start()]))
            pieces.append(self._run(data[match.start() : match.end()].decode()))
            at = match.end()
        if at < len(data):
            pieces.append(self._visible(data[at:]))
        return "".join(pieces)

    def finish(self) -> str:
        """The text has ended. What the end adds to the view is nothing; what was pending is dropped."""
        self._drop()
        return ""

    def start(self, offset: int) -> int:
        """Where in the text the character at `offset` of the view stands; for the end of the view: the end of all that
        was decided."""
        index = bisect_right(self._places, offset)
        return offset + self._dropped[index - 1] if index else offset

    def end(self, offset: int) -> int:
        """Where in the text the character before `offset` of the view ends."""
        return self.start(offset - 1) + 1 if offset else 0

    def _plain(self, text: str) -> str:
        if text:
            self._keeping = False
            self._length += len(text)
            self._latin = text[-1].isascii() and text[-1].isalnum()
        return text

    def _visible(self, data: bytes) -> str:
        self._drop()
        self._keeping = False
        text = data.decode("utf-8", "surrogatepass")
        if not text.isascii():
            text = self._imitated(self._spelt_out(text, data))
        return self._plain(text)

    def _spelt_out(self, text: str, data: bytes) -> str:
        """`text` with full-width and other forms made ASCII, character by character."""
        search, at, seen = self._folder.foreign.search, 0, set[str]()
        while (match := search(data, at)) is not None:
            seen.add(data[match.start() : match.end()].decode())
            at = match.end()
        for char in seen:
            text = text.replace(char, _ascii(char))
        return text

    def _imitated(self, text: str) -> str:
        """`text` with Cyrillic and Greek letters behind ASCII ones made Latin."""
        before = "a" if self._latin else " "
        data = (before + text).encode("utf-8", "surrogatepass")
        pieces: list[bytes] = []
        at = 0
        while (match := self._folder.alike.search(data, at)) is not None:
            pieces.append(data[at : match.start()])
            pieces.append(
                "".join(
                    _ALIKE.get(char, char) for char in data[match.start() : match.end()].decode()
                ).encode()
            )
            at = match.end()
        if not pieces:
            return text
        return (b"".join(pieces) + data[at:]).decode("utf-8", "surrogatepass")[1:]

    def _run(self, run: str) -> str:
        """What a run of invisible characters, or a part of one, adds to the view."""
        if not self._keeping and len(self._pending) + len(run) < KEPT_RUN:
            self._pending += run
            return ""
        kept, self._pending, self._keeping = self._pending + run, "", True
        self._length += len(kept)
        self._latin = False
        return kept

    def _drop(self) -> None:
        if not self._pending:
            return
        count = len(self._pending) + (self._dropped[-1] if self._dropped else 0)
        self._pending = ""
        self._places.append(self._length)
        self._dropped.append(count)


def _ascii(char: str) -> str:
    """The ASCII character that a character of `Folder.foreign` stands for."""
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
    return chr(code - 0xFEE0)  # full-width forms stand in ASCII's order


def _compiled(pattern: str) -> Regexp:
    return compiled(pattern, memory=_MEMORY, captures=False)

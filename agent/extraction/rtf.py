"""Rich Text Format (version 1.9.1): its text, without the tables of fonts, styles and colours, and without pictures."""

from __future__ import annotations

from contextlib import suppress

from agent.extraction.budget import Budget

_SILENT = frozenset(
    (
        *(
            "fonttbl",
            "colortbl",
            "stylesheet",
            "pict",
            "themedata",
            "colorschememapping",
            "datastore",
            "objdata",
        ),
        *("listtable", "listoverridetable", "rsidtbl", "generator", "latentstyles", "blipuid", "fldrslt_"),
    )
)
_BREAKS = {"par": "\n", "line": "\n", "sect": "\n", "page": "\n", "row": "\n", "tab": "\t", "cell": "\t"}
_SIGNS = {
    "emdash": "—",
    "endash": "–",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    "bullet": "•",
}
_EVERY = 4096  # words between two looks at the clock


def rtf_text(data: bytes, budget: Budget) -> str:
    """The text. Raises Stopped."""
    reader = _Reader(data.decode("latin-1"), budget)
    reader.read()
    return "".join(reader.parts)


class _Reader:
    def __init__(self, source: str, budget: Budget) -> None:
        self._source = source
        self._budget = budget
        self.parts: list[str] = []
        self._codec = "cp1252"
        self._outer: list[tuple[bool, int]] = []
        self._silent = False
        self._fallback = 1  # characters that stand for a \u in old readers
        self._skip = 0
        self._pending = bytearray()  # bytes of \'hh, which may be halves of one character

    def read(self) -> None:
        source, at, words = self._source, 0, 0
        while at < len(source):
            here = source[at]
            if here == "\\":
                words += 1
                if words % _EVERY == 0:
                    self._budget.check_time()
                at = self._control(at + 1)
            elif here == "{":
                self._outer.append((self._silent, self._fallback))
                at += 1
            elif here == "}":
                if self._outer:
                    self._silent, self._fallback = self._outer.pop()
                at += 1
            elif here in "\r\n":
                at += 1
            else:
                end = at + 1
                while end < len(source) and source[end] not in "\\{}\r\n":
                    end += 1
                self._say(source[at:end])
                at = end
        self._flush()

    def _control(self, at: int) -> int:
        source = self._source
        sign = source[at : at + 1]
        if sign == "'":
            with suppress(ValueError):
                self._byte(int(source[at + 1 : at + 3], 16))
            return at + 3
        if not sign.isalpha():
            if sign in ("{", "}", "\\"):
                self._say(sign)
            elif sign == "~":
                self._say(" ")
            return at + 1  # also `\*`: what follows is read, unless its word is one of the silent
        end = at
        while end < len(source) and source[end].isascii() and source[end].isalpha() and end - at < 32:
            end += 1
        word, start = source[at:end], end
        if source[end : end + 1] == "-":
            end += 1
        while end < len(source) and source[end].isdigit() and end - start < 12:
            end += 1
        self._word(word, source[start:end])
        return end + 1 if source[end : end + 1] == " " else end

    def _word(self, word: str, number: str) -> None:
        if word in _SILENT:
            self._silent = True
        elif word in _BREAKS or word in _SIGNS:
            self._say(_BREAKS.get(word) or _SIGNS[word])
        elif word == "u" and number.lstrip("-").isdigit():
            self._flush()
            code = int(number) % 0x10000
            self._say(chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd")
            self._skip = self._fallback
        elif word == "uc" and number.isdigit():
            self._fallback = min(int(number), 16)
        elif word == "ansicpg" and number.isdigit():
            codec = f"cp{number}"
            try:
                b"".decode(codec)
            except LookupError:
                return
            self._codec = codec

    def _byte(self, value: int) -> None:
        if self._skip:
            self._skip -= 1
        elif not self._silent:
            self._pending.append(value)

    def _say(self, text: str) -> None:
        self._flush()
        if self._skip and text:
            cut = min(self._skip, len(text))
            self._skip -= cut
            text = text[cut:]
        if not self._silent:
            self.parts.append(text)

    def _flush(self) -> None:
        if self._pending:
            self.parts.append(self._pending.decode(self._codec, "replace"))
            self._pending.clear()

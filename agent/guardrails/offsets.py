"""UTF-8 offsets and character offsets: the engine counts bytes, everybody else characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.guardrails.detector import Span
from agent.guardrails.regex import Regexp


def encoded(text: str) -> bytes:
    """UTF-8; a lone surrogate, which JSON can carry, becomes three bytes that no pattern but a negation matches."""
    return text.encode("utf-8", "surrogatepass")


def decoded(data: bytes) -> str:
    """What was `encoded`, cut between characters."""
    return data.decode("utf-8", "surrogatepass")


def characters(data: bytes) -> int:
    """How many characters `data`, cut between characters, has."""
    return len(data) if data.isascii() else len(decoded(data))


def occurrences(pattern: Regexp, text: str) -> Iterator[tuple[int, int]]:
    """Where `pattern`, which never matches the empty text, matches: from and up to which character."""
    data = encoded(text)
    at = chars = 0
    while (match := pattern.search(data, at)) is not None:
        start = chars + characters(data[at : match.start()])
        chars = start + characters(data[match.start() : match.end()])
        at = match.end()
        yield start, chars


def boundary(data: bytes, place: int) -> int:
    """The start of the character in which `place` lies."""
    while 0 < place < len(data) and data[place] & 0xC0 == 0x80:
        place -= 1
    return max(0, place)


def in_characters(spans: Iterable[Span], data: bytes) -> Iterator[Span]:
    """Disjoint, sorted spans of bytes as spans of characters, in one pass."""
    if data.isascii():
        yield from spans
        return
    at = chars = 0
    for span in spans:
        start = chars + characters(data[at : span.start])
        chars = start + characters(data[span.start : span.end])
        at = span.end
        yield Span(start, chars, span.detector)

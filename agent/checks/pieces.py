"""Texts cut to what a service takes, and what is left out where they are too long. Pure."""

from __future__ import annotations

from dataclasses import dataclass

OVERLAP = 200  # characters that neighbours share, so that nothing is missed because a cut went through it
_LOOK_BACK = 400  # how far before the limit a cut looks for white space


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A stretch of a text: `text[start:end]`."""

    start: int
    end: int


def cuts(text: str, size: int) -> tuple[Cut, ...]:
    """`text` in stretches of at most `size` characters that overlap, cut at white space where there is some."""
    overlap = min(OVERLAP, size // 4)
    made: list[Cut] = []
    start = 0
    while len(text) - start > size:
        end = start + size
        at = max(text.rfind(white, end - min(_LOOK_BACK, size // 4), end) for white in (" ", "\n"))
        end = at + 1 if at >= 0 else end
        made.append(Cut(start=start, end=end))
        start = end - overlap
    made.append(Cut(start=start, end=len(text)))
    return tuple(made)


def spread(count: int, most: int) -> tuple[int, ...]:
    """Which of `count` things in a row are looked at where at most `most` can be: the first, the last, and others
    evenly between."""
    if count <= most:
        return tuple(range(count))
    if most == 1:
        return (0,)
    return tuple(sorted({round(place * (count - 1) / (most - 1)) for place in range(most)}))


def sendable(text: str) -> str:
    """`text` with each lone surrogate replaced, one for one: such a text is no UTF-8, and places must not move."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    return text

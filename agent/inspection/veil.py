"""Texts made fit to leave the machine: what must not be told to anybody is replaced, and places are found again.

A check that asks a stranger is sent the veiled text. What it says about places in that text is translated back, and
what it says about our own markers is worth nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from agent.inspection.replacements import MARKER
from agent.model.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Veiled:
    """A text as it may be sent, and where its parts came from."""

    text: str
    covers: tuple[tuple[int, int, int, int], ...] = ()
    """What was replaced: start and end in the veiled text, start and end in the original, in order."""
    kinds: frozenset[str] = frozenset()
    """What markers of ours may name. Anybody can write something that looks like a marker."""

    def original(self, start: int, end: int) -> tuple[int, int] | None:
        """The span of the original that `text[start:end]` stands for; None where that is nothing but markers.

        A span that cuts a marker stands for the whole of what the marker covers.
        """
        if self._only_markers(start, end):
            return None
        return self._back(start, ends=False), self._back(end, ends=True)

    def _back(self, offset: int, *, ends: bool) -> int:
        place = bisect_right(self.covers, offset, key=lambda cover: cover[0]) - 1
        if place < 0:
            return offset
        begin, end, origin, origin_end = self.covers[place]
        if begin < offset < end:
            return origin_end if ends else origin
        if offset == begin:  # where a marker begins, so does what it covers
            return origin
        return origin_end + offset - end

    def _only_markers(self, start: int, end: int) -> bool:
        at = start
        while at < end:
            if self.text[at].isspace():
                at += 1
                continue
            opening = self.text.rfind(MARKER, 0, at + len(MARKER))
            closing = self.text.find("]", opening) if 0 <= opening <= at else -1
            if closing < at or self.text[opening + len(MARKER) : closing] not in self.kinds:
                return False
            at = closing + 1
        return True


def veil(text: str, findings: tuple[Finding, ...], *, kinds: frozenset[str]) -> Veiled:
    """`text` with each of `findings` (disjoint, in order) replaced by its marker."""
    parts: list[str] = []
    covers: list[tuple[int, int, int, int]] = []
    at = length = 0
    for finding in findings:
        marker = f"{MARKER}{finding.type}]"
        parts += (text[at : finding.start], marker)
        length += finding.start - at
        covers.append((length, length + len(marker), finding.start, finding.end))
        length += len(marker)
        at = finding.end
    parts.append(text[at:])
    return Veiled(text="".join(parts), covers=tuple(covers), kinds=kinds)

"""Short texts sent as one to services that take one at a time: a tool's structured result may be a hundred of them.

A clean verdict on the bundle is one on each. A finding that lies in one text is that text's; of a finding about
several nobody can say whose it is, and they are to be asked about one by one. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.checks.ports import Mark

SHORT = 2000  # characters: longer texts go alone
BETWEEN = "\n\n"


def bundles(lengths: Sequence[int], most: int) -> tuple[tuple[int, ...], ...]:
    """Which texts go together, by their places: short neighbours, of at most `most` characters in all."""
    made: list[list[int]] = []
    room = 0
    for place, length in enumerate(lengths):
        needed = length + len(BETWEEN)
        if length > SHORT:
            made.append([place])
            room = 0
        elif made and needed <= room:
            made[-1].append(place)
            room -= needed
        else:
            made.append([place])
            room = most - length
    return tuple(map(tuple, made))


def bundled(texts: Sequence[str]) -> str:
    """The texts as one."""
    return BETWEEN.join(texts)


def parted(marks: Sequence[Mark], lengths: Sequence[int]) -> tuple[tuple[Mark, ...], ...] | None:
    """The marks in a bundle as marks in its texts; None where one is about more than one text."""
    starts: list[int] = []
    at = 0
    for length in lengths:
        starts.append(at)
        at += length + len(BETWEEN)
    made: list[list[Mark]] = [[] for _ in lengths]
    for mark in marks:
        touched = [
            place
            for place, start in enumerate(starts)
            if mark.start < start + lengths[place] and mark.end > start
        ]
        if len(touched) > 1:
            return None
        for place in touched:
            begin, end = mark.start - starts[place], mark.end - starts[place]
            made[place].append(
                Mark(
                    start=max(begin, 0),
                    end=min(end, lengths[place]),
                    category=mark.category,
                    score=mark.score,
                )
            )
    return tuple(map(tuple, made))

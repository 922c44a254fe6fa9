"""Long texts before a model that takes short ones: windows of tokens, and which of them are looked at. Pure."""

from __future__ import annotations

from agent.checks.pieces import spread


def windows(count: int, *, size: int, stride: int, most: int) -> tuple[tuple[int, int], ...]:
    """Stretches of at most `size` of `count` tokens, `stride` apart; at most `most` of them: the head, the tail, and
    others evenly between."""
    if count <= size:
        return ((0, count),) if count else ()
    starts = list(range(0, count - size, stride))
    starts.append(count - size)  # the tail ends where the text does
    return tuple((starts[place], starts[place] + size) for place in spread(len(starts), most))

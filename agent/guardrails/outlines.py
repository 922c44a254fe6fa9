"""Patterns that are found wherever those of rules are, and are cheaper to look for: they tell which rules to try.

What a search costs the first time is the states it makes. So an outline has no counts, and nothing at its ends that
need not be there.
"""

from __future__ import annotations

from agent.guardrails.characters import charset
from agent.guardrails.closure import loosened
from agent.guardrails.syntax import Atom, Choice, Node, Repeat, Sequence, flat, width

_COUNTED = 8
_BOUND = 64  # characters
_FEW = 10  # characters with which words may begin that are spelled out

_EMPTY = Sequence(parts=())


def outlined(tree: Node) -> str:
    """An outline of `tree`."""
    return loosened(_trimmed(tree), counted=_COUNTED)


def openings(tree: Node) -> frozenset[str]:
    """Patterns of which one is found wherever that of `tree` is, and begins where it does: one for each alternative."""
    if isinstance(tree, Choice):
        return frozenset[str]().union(*map(openings, tree.options))
    parts = flat(tree)
    if len(parts) == 1 and isinstance(parts[0], Choice):
        return openings(parts[0])
    return frozenset([loosened(_trimmed(tree, front=False), counted=_COUNTED)])


def front(tree: Node) -> str | None:
    """A pattern for the words with which every match of `tree` begins; None where they are none, or have no bound."""
    for part in flat(tree):
        low, high = width(part)
        if high != 0:
            return loosened(part) if low > 1 and high is not None and high <= _BOUND else None
    return None


def _trimmed(node: Node, *, front: bool = True, back: bool = True) -> Node:
    """`node` without what its matches may do without at the front and at the back.

    A boundary stays before what many characters begin: it is what keeps every letter from being a beginning.
    """
    match node:
        case Atom():
            return node
        case Choice():
            options = dict.fromkeys(_trimmed(option, front=front, back=back) for option in node.options)
            return next(iter(options)) if len(options) == 1 else Choice(options=tuple(options))
        case Repeat():
            return _once(node, front=front, back=back)
        case Sequence():
            return _sequence(flat(node), front=front, back=back)


def _sequence(parts: list[Node], *, front: bool, back: bool) -> Node:
    first, last = 0, len(parts)
    if front:
        while first < last and not width(parts[first])[0]:
            first += 1
        if first and first < last and len(_first(parts[first:])) > _FEW:
            first, front = 0, False
    if back:
        while first < last and not width(parts[last - 1])[0]:
            last -= 1
    kept = parts[first:last]
    if len(kept) == 1:
        return _trimmed(kept[0], front=front, back=back)
    if kept and front:
        kept[0] = _trimmed(kept[0], back=False)
    if kept and back:
        kept[-1] = _trimmed(kept[-1], front=False)
    return Sequence(parts=tuple(kept))


def _once(node: Repeat, *, front: bool, back: bool) -> Node:
    """As few times as must be."""
    if not (front or back):
        return node
    if node.low == 0:
        return _EMPTY
    if node.low == 1:
        return _trimmed(node.node, front=front, back=back)
    return Repeat(node=node.node, low=node.low, high=node.low)


def _first(parts: list[Node]) -> frozenset[int]:
    """The ASCII characters with which a match may begin; all where they are not plain to see."""
    found = frozenset[int]()
    for part in parts:
        match part:
            case Atom():
                found |= charset(part.text).ascii if part.consumes else frozenset()
            case Sequence():
                found |= _first(flat(part))
            case Choice():
                found = found.union(*(_first([option]) for option in part.options))
            case Repeat():
                found |= _first([part.node])
        if width(part)[0]:
            break
    return found

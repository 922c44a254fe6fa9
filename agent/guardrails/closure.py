"""Prefix closures: from a pattern, patterns that match every beginning of a match.

A stream may release a text only where no match can be under way. `text[i:]` can still become a match of a rule exactly
when it is a beginning of one, so the leftmost match of `closure\\z` in the text so far is the rule's hold point.
The derivation, over the tree of `syntax`:

    P(xy) = P(x) | x P(y)        P(x|y) = P(x) | P(y)        P(x{m,n}) = x{0,n-1} P(x)

Owns the derivation only; it compiles and matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agent.guardrails.syntax import Atom, Choice, Node, Repeat, Sequence, repeated, source

_COUNTED = 3


def exact_closure(node: Node) -> str:
    """A pattern for all beginnings of what `node` matches, the whole match included, the empty one left out."""
    return _started(node, _END, loose=False).some or ""


def loose_closure(node: Node) -> str:
    """A pattern for all beginnings and some texts more: counted repetitions are uncounted.

    Without counters its automaton stays small, so that many rules share one; what it says is under way may be over.
    """
    return _started(node, _END, loose=True).some or ""


def loosened(node: Node, *, counted: int = _COUNTED) -> str:
    """A pattern that matches what `node` does and more: from `counted` times on, how often is not asked."""
    match node:
        case Atom():
            return node.text
        case Sequence():
            return "".join(loosened(part, counted=counted) for part in node.parts)
        case Choice():
            return _either(loosened(option, counted=counted) for option in node.options) or ""
        case Repeat():
            low, high = min(node.low, counted), node.high
            return repeated(loosened(node.node, counted=counted), low, None if high is None or high > counted else high)


class _Begun(NamedTuple):
    """Patterns for the beginnings of something: the empty one included, and left out (None: there are no others)."""

    any: str
    some: str | None


_END = _Begun("", None)


def _started(node: Node, rest: _Begun, *, loose: bool) -> _Begun:
    """P(node rest) = P(node) | node rest, where `rest` is what comes after, as beginnings already."""
    match node:
        case Atom(consumes=True):
            some = node.text + rest.any
            return _Begun(f"(?:{some})?", some)
        case Atom():
            return _Begun(f"(?:{node.text}{rest.any})?", None if rest.some is None else node.text + rest.some)
        case Sequence():
            for part in reversed(node.parts):
                rest = _started(part, rest, loose=loose)
            return rest
        case Choice():
            return _joined([_started(each, _END, loose=loose) for each in node.options], node, rest, loose=loose)
        case Repeat():
            return _repeated(node, rest, loose=loose)


def _repeated(node: Repeat, rest: _Begun, *, loose: bool) -> _Begun:
    if node.high == 0:
        return rest
    node = _uncounted(node) if loose else node
    body, high = _whole(node.node, loose=loose), node.high
    if not isinstance(node.node, Atom):
        inner = _started(node.node, _END, loose=loose)
        before = "" if high == 1 else repeated(body, 0, None if high is None else high - 1)
        return _joined(
            [_Begun(before + inner.any, None if inner.some is None else before + inner.some)], node, rest, loose=loose
        )
    if node.low == 0 and high is None:
        return _Begun(
            repeated(body, 0, None) + rest.any, _either([repeated(body, 1, None) + rest.any, rest.some])
        )
    return _joined([_Begun(repeated(body, 0, high), repeated(body, 1, high))], node, rest, loose=loose)


def _joined(begun: list[_Begun], node: Node, rest: _Begun, *, loose: bool) -> _Begun:
    """The beginnings of `node rest`, where `begun` are those of `node`."""
    some = [each.some for each in begun]
    if rest is _END:
        return _Begun(_either(each.any for each in begun) or "", _either(some))
    whole = _whole(node, loose=loose)
    return _Begun(
        _either([*(each.any for each in begun), whole + rest.any]) or "",
        _either([*some, None if rest.some is None else whole + rest.some]),
    )


def _whole(node: Node, *, loose: bool) -> str:
    return loosened(node) if loose else source(node)


def _uncounted(node: Repeat) -> Repeat:
    """`node` without a count that would take many states."""
    if node.high is not None and node.high <= _COUNTED:
        return node
    return Repeat(node=node.node, low=0, high=None)


def _either(options: Iterable[str | None]) -> str | None:
    given = [option for option in options if option is not None]
    return "(?:" + "|".join(given) + ")" if given else None

"""What every match of a pattern must hold, told from its tree: a text without it need not be searched.

A text is asked for such things in a few microseconds, by automata of some dozen states, where that of the rules
themselves has thousands, made while a text is read. `Needs` may demand less than a match holds, never more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from agent.guardrails.characters import charset
from agent.guardrails.syntax import Atom, Choice, Node, Repeat, Sequence

GAP = 3
"""Separators that may stand between two digits that count together."""

_DIGITS = frozenset(b"0123456789")
_SEPARATORS = frozenset(b" ./()+:-")
_TOKEN = _DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/_-")
_AT = frozenset(b"@")
_NONE = frozenset[int]()
_LINE_FEED = 10
_MOST = 64  # of what is counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a match holds at least."""

    digits: int = 0  # with at most `GAP` separators between each two
    run: int = 0  # characters that a token may have, in a row
    at: bool = False  # the sign @
    foreign: bool = False  # a character beyond ASCII


def digits_pattern(count: int) -> str:
    """A pattern for `count` digits that count together."""
    return rf"[0-9](?:[ ./()+:\-]{{0,{GAP}}}[0-9]){{{count - 1}}}"


def run_pattern(length: int) -> str:
    """A pattern for so many characters of a token in a row."""
    return f"[A-Za-z0-9+/_-]{{{length}}}"


def needs(tree: Node) -> Needs:
    """What a match of `tree` holds at least."""
    atoms = {atom.text: charset(atom.text) for atom in _atoms(tree) if atom.consumes}
    ascii_ = [chars.ascii for chars in atoms.values() if not chars.beyond]
    return Needs(
        digits=_chain(tree, _kinds(_DIGITS, _SEPARATORS)).best if any(map(_DIGITS.issuperset, ascii_)) else 0,
        run=_chain(tree, _kinds(_TOKEN)).best if any(map(_TOKEN.issuperset, ascii_)) else 0,
        at=_AT in ascii_ and _chain(tree, _kinds(_AT)).best > 0,
        foreign=any(not chars.ascii for chars in atoms.values()) and _chain(tree, _foreign).best > 0,
    )


def _atoms(node: Node) -> Iterator[Atom]:
    match node:
        case Atom():
            yield node
        case Sequence():
            for part in node.parts:
                yield from _atoms(part)
        case Choice():
            for option in node.options:
                yield from _atoms(option)
        case Repeat():
            yield from _atoms(node.node)


def lines(tree: Node) -> int | None:
    """How many line feeds a match of `tree` may hold; None where there is no such bound."""
    match tree:
        case Atom():
            return int(tree.consumes and _LINE_FEED in charset(tree.text).ascii)
        case Sequence():
            return _sum([lines(part) for part in tree.parts])
        case Choice():
            counts = [lines(option) for option in tree.options]
            known = [count for count in counts if count is not None]
            return max(known, default=0) if len(known) == len(counts) else None
        case Repeat():
            count = lines(tree.node)
            if count == 0:
                return 0
            return None if count is None or tree.high is None else count * tree.high


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


class _Chain(NamedTuple):
    """How many members of a class follow each other in every match of a node, with at most `GAP` separators between.

    `solid`: a match is nothing but members and separators, so that what stands before and behind goes on through it.
    """

    best: int = 0  # the longest chain that is sure to be there
    head: int = 0  # that at the front
    tail: int = 0  # that at the end
    before: int = 0  # separators before the first member, at most
    behind: int = 0  # separators behind the last
    bare: int | None = (
        None  # separators of a match without members, at most; None where there is no such match
    )
    solid: bool = True


_MEMBER = _Chain(best=1, head=1, tail=1)
_SEPARATOR = _Chain(bare=1)
_NOTHING = _Chain(bare=0)
_OTHER = _Chain(solid=False)
_ENDLESS = _Chain(before=_MOST, behind=_MOST, bare=_MOST)


def _kinds(members: frozenset[int], between: frozenset[int] = _NONE) -> Callable[[Atom], _Chain]:
    def kind(atom: Atom) -> _Chain:
        chars = charset(atom.text)
        if chars.within(members):
            return _MEMBER
        return _SEPARATOR if chars.within(between) else _OTHER

    return kind


def _foreign(atom: Atom) -> _Chain:
    return _OTHER if charset(atom.text).ascii else _MEMBER


def _chain(node: Node, kind: Callable[[Atom], _Chain]) -> _Chain:
    match node:
        case Atom():
            return kind(node) if node.consumes else _NOTHING
        case Sequence():
            return reduce(_followed, (_chain(part, kind) for part in node.parts), _NOTHING)
        case Choice():
            return reduce(_either, (_chain(option, kind) for option in node.options))
        case Repeat():
            return _repeated(_chain(node.node, kind), node.low, node.high)


def _followed(first: _Chain, second: _Chain) -> _Chain:
    joins = first.behind + second.before <= GAP
    before = first.before if first.bare is None else max(first.before, first.bare + second.before)
    behind = second.behind if second.bare is None else max(second.behind, second.bare + first.behind)
    bare = None if first.bare is None or second.bare is None else min(first.bare + second.bare, _MOST)
    return _Chain(
        best=min(max(first.best, second.best, first.tail + second.head if joins else 0), _MOST),
        head=min(first.head + (second.head if first.solid and joins else 0), _MOST),
        tail=min(second.tail + (first.tail if second.solid and joins else 0), _MOST),
        before=min(before, _MOST),
        behind=min(behind, _MOST),
        bare=bare,
        solid=first.solid and second.solid and joins,
    )


def _either(first: _Chain, second: _Chain) -> _Chain:
    bare = [each.bare for each in (first, second) if each.bare is not None]
    return _Chain(
        best=min(first.best, second.best),
        head=min(first.head, second.head),
        tail=min(first.tail, second.tail),
        before=max(first.before, second.before),
        behind=max(first.behind, second.behind),
        bare=max(bare, default=None),
        solid=first.solid and second.solid,
    )


def _repeated(body: _Chain, low: int, high: int | None) -> _Chain:
    """As often as must be, and then perhaps more often, which must not part what stands around it."""
    if high == 0:
        return _NOTHING
    sure = reduce(_followed, [body] * min(low, _MOST), _NOTHING)
    if high is not None and high <= low:
        return sure
    once = high == low + 1
    more = body if once else _followed(body, body)
    if more.bare and not once:
        more = _either(more, _ENDLESS)  # any number of separators
    return _followed(sure, _either(_NOTHING, more))

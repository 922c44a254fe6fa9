"""Prefix closures: from a pattern, patterns that match every beginning of a match.

A stream may release a text only where no match can be under way. `text[i:]` can still become a match of a rule exactly
when it is a beginning of one, so the leftmost match of `closure\\z` in the text so far is the rule's hold point.
The derivation, over the tree of `syntax`:

    P(xy) = P(x) | x P(y)        P(x|y) = P(x) | P(y)        P(x{m,n}) = x{0,n-1} P(x)

Owns the derivation only; it compiles and matches nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from string import ascii_letters, digits
from typing import NamedTuple

from agent.guardrails.characters import charset
from agent.guardrails.syntax import Atom, Choice, Node, Repeat, Sequence, flat, repeated, width

_LOOSE = 3
_EXACT = 100  # more states than that make RE2 slow, and hold back less only where something is long anyway
_TOLD_APART = 3
_WORD = r"[\w\x{17F}\x{212A}]"  # case-blind patterns take the long s and the Kelvin sign for s and k


def exact_closure(node: Node) -> str:
    """A pattern for all beginnings of what `node` matches, the whole match included, the empty one left out.

    Exact but for repetitions of more than a hundred: how many there are is not asked.
    """
    return _started(node, _END, counted=_EXACT).some or ""


def loose_closure(node: Node) -> str:
    """A pattern for all beginnings and some texts more: counted repetitions are uncounted, one of many words is any.

    So its automaton stays small and many rules can share one; what it says is under way may be over.
    """
    return _started(node, _END, counted=_LOOSE).some or ""


WORDS = rf"{_WORD}+"
"""The loose closure of a list of words without spaces."""

_MARKS = ".+=@:%~-"
_TOKEN = rf"[\w\x{{17F}}\x{{212A}}{_MARKS}]"
TOKEN_TAIL = rf"(?:[^\w\x{{17F}}\x{{212A}}{_MARKS}]{_TOKEN}*|{_TOKEN}+)"
"""A token at the end of the text with the character before it, such as a quote, a space or a backslash: what
`tail_closure` leaves to its caller to hold back."""

_WORD_BYTES = frozenset(f"{ascii_letters}{digits}_".encode())
_TOKEN_BYTES = _WORD_BYTES | frozenset(_MARKS.encode())  # no slash, so that an address is several tokens
_DELETED = bytes(sorted(_TOKEN_BYTES))


def is_token(data: bytes) -> bool:
    """Whether `data` is a token of ASCII with at most one other character before it: quicker than `TOKEN_TAIL` tells
    it, and never where that would not."""
    return data[:1].isascii() and not data[1:].translate(None, _DELETED)


def tail_closure(node: Node) -> str:
    """`loose_closure` without the texts that `TOKEN_TAIL` matches, and without matches that nothing can be added to:
    most rules begin with a token, and many are one. Where all tokens are held back anyway, none of them needs states
    for the beginnings of its own. Empty where nothing remains."""
    return _after_token(_growing(node)).some or ""


def tail_behind(front: str, node: Node) -> str:
    """The pattern `front` and behind it any beginning of what `node` matches, the empty one included: `tail_closure` of
    both where what begins `front` is but a token."""
    return front + _started(node, _END, counted=_LOOSE).any


class WordList(NamedTuple):
    """Closures for a list of literal words and phrases, which ask how many and how long they are, not which.

    They hold back as many words as the longest phrase has, whatever these are, and take no states for the words
    themselves, of which there may be thousands.
    """

    loose: str
    exact: str  # loose, and no word longer than the longest


def word_list(node: Node) -> WordList | None:
    """The closures of a list of words, None where `node` is something else."""
    gaps = longest = 0
    for option in node.options if isinstance(node, Choice) else (node,):
        parts = flat(option)
        if not parts or not all(isinstance(part, Atom) or _spaces(part) for part in parts):
            return None
        gaps = max(gaps, sum(isinstance(part, Repeat) for part in parts))
        letters = "".join("a" if isinstance(part, Atom) else " " for part in parts if width(part)[0])
        longest = max(longest, *map(len, letters.split()))
    exact = rf"\S{{1,{longest}}}(?:\s{{1,16}}\S{{1,{longest}}}){{0,{gaps}}}\s{{0,16}}"
    if not gaps:
        return WordList(WORDS if _wordy(node) else r"\S+", rf"\S{{1,{longest}}}")
    return WordList(rf"\S+(?:\s+\S+){{0,{gaps}}}\s*", exact)


def _spaces(node: Node) -> bool:
    return isinstance(node, Repeat) and node.node in (Atom(text=r"\s"), Atom(text=r"(?i:\s)"))


def opening(node: Node, *, in_token: bool = False) -> str | None:
    """A pattern for the tokens, or the mark, at the front of every text that `tail_closure` matches, but for texts that
    `TOKEN_TAIL` matches too; None where there are none. `in_token`: characters stand before it."""
    parts = flat(node)
    front = _front(parts, in_token=in_token)
    if not front:
        first = parts[0].node if isinstance(parts[0], Repeat) and parts[0].low else parts[0]
        if isinstance(first, Atom):
            return first.text
    words = "".join(loosened(part) for part in parts[:front])
    follows = parts[front] if front < len(parts) else None
    if isinstance(follows, Choice):
        in_token = in_token or front > 0
        behind = (
            opening(Sequence(parts=tuple(parts[front + 1 :])), in_token=True) if parts[front + 1 :] else None
        )
        words += (
            _either(
                loosened(option) + (behind or "")
                if _is_token(option)
                else opening(option, in_token=in_token) or ""
                for option in follows.options
            )
            or ""
        )
    elif words and follows is not None:
        words += _needed_first(follows)
    return words or None


def _needed_first(node: Node) -> str:
    """A pattern for the first character of `node`, where one must be there and is plain to see."""
    if isinstance(node, Repeat) and node.low:
        node = node.node
    return node.text if isinstance(node, Atom) and node.consumes else ""


def loosened(node: Node, *, counted: int = _LOOSE) -> str:
    """A pattern that matches what `node` does and more: from `counted` times on, how often is not asked."""
    match node:
        case Atom():
            return node.text
        case Sequence():
            return "".join(loosened(part, counted=counted) for part in node.parts)
        case Choice():
            return _either(loosened(option, counted=counted) for option in node.options) or ""
        case Repeat():
            high = None if node.high is None or node.high > counted else node.high
            return repeated(loosened(node.node, counted=counted), min(node.low, counted), high)


class _Begun(NamedTuple):
    """Patterns for the beginnings of something: the empty one included, and left out (None: there are no others)."""

    any: str
    some: str | None


_END = _Begun("", None)


def _started(node: Node, rest: _Begun, *, counted: int) -> _Begun:
    """P(node rest) = P(node) | node rest, where `rest` is what comes after, as beginnings already."""
    match node:
        case Atom(consumes=True):
            some = node.text + rest.any
            return _Begun(f"(?:{some})?", some)
        case Atom():
            return _Begun(f"(?:{node.text}{rest.any})?", None if rest.some is None else node.text + rest.some)
        case Sequence():
            for part in reversed(node.parts):
                rest = _started(part, rest, counted=counted)
            return rest
        case Choice() if counted == _LOOSE and len(node.options) > _TOLD_APART and _wordy(node):
            some = f"{_WORD}+{rest.any}"
            return _Begun(f"(?:{some})?", some)
        case Choice():
            return _joined(
                [_started(each, _END, counted=counted) for each in node.options], node, rest, counted=counted
            )
        case Repeat():
            return _repeated(node, rest, counted=counted)


def _after_token(node: Node, *, in_token: bool = False) -> _Begun:
    """The loose beginnings of `node` that reach beyond the token at its front, and some that do not."""
    parts = flat(node)
    front = _front(parts, in_token=in_token)
    if front == len(parts):
        return _END
    rest = _END
    for part in reversed(parts[front + 1 :]):
        rest = _started(part, rest, counted=_LOOSE)
    first = parts[front]
    if isinstance(first, Choice):
        options = [_after_token(option, in_token=in_token or front > 0) for option in first.options]
        begun = _joined(options, first, rest, counted=_LOOSE)
    else:
        begun = _started(first, rest, counted=_LOOSE)
    before = "".join(loosened(part) for part in parts[:front])
    some = before + begun.any if before else begun.some
    return _END if some is None else _Begun(f"(?:{some})?", some)


def _front(parts: list[Node], *, in_token: bool) -> int:
    """How many of `parts` are a token, behind one other character perhaps where they do not go on with one."""
    front, leads = 0, not in_token
    while front < len(parts) and _is_token(parts[front], leads=leads):
        leads = leads and width(parts[front])[1] == 0
        front += 1
    return front


def _growing(node: Node) -> Node:
    """`node` without its last character, where that is one and the same for all: what has it is a match that cannot
    grow. Every other beginning of a match is one of what remains, too."""
    match node:
        case Choice():
            return Choice(options=tuple(_growing(option) for option in node.options))
        case Sequence(parts=parts) if parts:
            return Sequence(parts=(*parts[:-1], _growing(parts[-1])))
        case Atom(consumes=True):
            return Sequence(parts=())
    return node


def _wordy(node: Node) -> bool:
    """Whether all that `node` matches are words."""
    match node:
        case Atom():
            return not node.consumes or _made_of(node.text, _WORD_BYTES)
        case Sequence():
            return all(map(_wordy, node.parts))
        case Choice():
            return all(map(_wordy, node.options))
        case Repeat():
            return _wordy(node.node)


def _is_token(node: Node, *, leads: bool = False) -> bool:
    """Whether all that `node` matches are tokens; where it `leads`, its first character may be any."""
    match node:
        case Atom():
            return leads or not node.consumes or _made_of(node.text, _TOKEN_BYTES)
        case Sequence():
            return _front(flat(node), in_token=not leads) == len(flat(node))
        case Choice():
            return all(_is_token(option, leads=leads) for option in node.options)
        case Repeat():
            return _is_token(node.node, leads=leads and node.high == 1)


def _made_of(text: str, allowed: frozenset[int]) -> bool:
    """Whether a character or class has none but those of `allowed`, and the long s and the Kelvin sign where it is
    blind for case."""
    flags, marked, inner = text[2:-1].partition(":") if text.startswith("(?") else ("", "", text)
    return charset(inner if marked and "i" in flags else text).within(allowed)


def _repeated(node: Repeat, rest: _Begun, *, counted: int) -> _Begun:
    if node.high == 0:
        return rest
    node = _uncounted(node, counted)
    body, high = loosened(node.node, counted=counted), node.high
    if not isinstance(node.node, Atom):
        inner = _started(node.node, _END, counted=counted)
        before = "" if high == 1 else repeated(body, 0, None if high is None else high - 1)
        return _joined(
            [_Begun(before + inner.any, None if inner.some is None else before + inner.some)],
            node,
            rest,
            counted=counted,
        )
    if node.low == 0 and high is None:
        return _Begun(
            repeated(body, 0, None) + rest.any, _either([repeated(body, 1, None) + rest.any, rest.some])
        )
    return _joined([_Begun(repeated(body, 0, high), repeated(body, 1, high))], node, rest, counted=counted)


def _joined(begun: list[_Begun], node: Node, rest: _Begun, *, counted: int) -> _Begun:
    """The beginnings of `node rest`, where `begun` are those of `node`."""
    some = [each.some for each in begun]
    if rest is _END:
        return _Begun(_either(each.any for each in begun) or "", _either(some))
    whole = loosened(node, counted=counted)
    return _Begun(
        _either([*(each.any for each in begun), whole + rest.any]) or "",
        _either([*some, None if rest.some is None else whole + rest.some]),
    )


def _uncounted(node: Repeat, counted: int) -> Repeat:
    """`node` without counts that would take many states."""
    loose = counted == _LOOSE and (node.high is None or node.high > counted)
    low = min(node.low, 1 if loose else counted)
    return Repeat(
        node=node.node, low=low, high=None if node.high is None or node.high > counted else node.high
    )


def _either(options: Iterable[str | None]) -> str | None:
    given = [option for option in options if option is not None]
    return "(?:" + "|".join(given) + ")" if given else None

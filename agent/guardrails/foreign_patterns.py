"""Patterns of other scanners, fitted to streams: what they find stays, how long they make a stream wait does not.

Owns three adaptations, each of which keeps every finding of the original: a lazy run of identifier characters at the
front is dropped, the usual tail of gitleaks' rules is widened, and it is told whether a keyword stands in every match.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from agent.guardrails.syntax import Atom, Choice, Node, PatternSyntaxError, Repeat, Sequence, flat, parse

_OPENINGS = ("(?i)", "(?i:", "(?:")
_IDENTIFIERS = (r"[\w.-]", r"[\w\.-]", r"[\w\-.]", r"[\w\.\-]", r"[\w-]", r"[\w\-]", r"[\w.]", r"[\w]", r"\w")
_LONGEST_LEAD = 100  # characters; a stream keeps a little more than that before a match
_TAIL = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
_WIDE_TAIL = r"""(?:[\x60'"\s;&,.:)\]}<>|?#\\]|$)"""
_MOST_SPELLINGS = 512
_SMALL_CLASS = 6  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A pattern as this engine uses it. `lead`: see `Rule.lead`; `widened`: whether it may end at more characters."""

    pattern: str
    lead: int
    widened: bool


def adapted(pattern: str, *, widen: bool = True) -> Adapted:
    """`pattern` without a lazy run of identifier characters at its front, and, with `widen`, a wider usual tail.

    The run (`[\\w.-]{0,50}?`) takes part in no value that a rule reports, and a match is there without it whenever it
    is there with it, but as long as it stands every word of a stream could begin a match. The tail is what may stand
    behind a token; in prompts that is also the end of a sentence, a bracket or the backslash of an escaped quote.
    """
    lead = 0
    while (cut := _without_run(pattern)) is not None:
        pattern, length = cut
        lead += length
    widened = widen and _TAIL in pattern
    return Adapted(
        pattern=pattern.replace(_TAIL, _WIDE_TAIL) if widened else pattern,
        lead=min(lead, _LONGEST_LEAD),
        widened=widened,
    )


def _without_run(pattern: str) -> tuple[str, int] | None:
    """The pattern without the run at its front and how long that may be, or None where there is none.

    Only a bounded, lazy run outside every capturing group is one: a greedy one decides where a group begins.
    """
    at = 0
    while (opening := next((each for each in _OPENINGS if pattern.startswith(each, at)), None)) is not None:
        at += len(opening)
    for identifiers in _IDENTIFIERS:
        if not pattern.startswith(identifiers + "{0,", at):
            continue
        high, closed, rest = pattern[at + len(identifiers) + 3 :].partition("}?")
        # a run in the first of several options is dropped as well as one before them all; behind it must be something
        if closed and high.isdecimal() and rest and rest[0] not in "|)*+?{":
            return pattern[:at] + rest, int(high)
    return None


def names_keyword(pattern: str, keywords: tuple[str, ...]) -> bool:
    """Whether every match of `pattern` holds one of `keywords`, as far as its literal parts show."""
    try:
        return bool(keywords) and _holds(parse(pattern), keywords)
    except PatternSyntaxError:
        return False


def _holds(node: Node, keywords: tuple[str, ...]) -> bool:
    match node:
        case Atom():
            return _all_hold(_spellings(node), keywords)
        case Choice():
            return all(_holds(option, keywords) for option in node.options)
        case Repeat():
            return node.low > 0 and _holds(node.node, keywords)
        case Sequence():
            parts = flat(node)
            return any(_holds(part, keywords) for part in parts) or any(
                _all_hold(run, keywords) for run in _runs(parts)
            )


def _all_hold(spellings: frozenset[str] | None, keywords: tuple[str, ...]) -> bool:
    return bool(spellings) and all(any(word in each for word in keywords) for each in spellings or ())


def _runs(parts: list[Node], *, whole: bool = False) -> list[frozenset[str]]:
    """For each stretch of parts of which all spellings are known: the spellings of the whole stretch.

    With `whole` nothing where it does not reach from end to end.
    """
    runs: list[frozenset[str]] = []
    run: frozenset[str] = frozenset({""})
    for part in parts:
        spellings = _spellings(part)
        if spellings is not None and len(run) * len(spellings) <= _MOST_SPELLINGS:
            run = frozenset(before + after for before, after in product(run, spellings))
            continue
        if whole:
            return []
        runs.append(run)
        run = spellings if spellings is not None else frozenset({""})
    return [*runs, run]


def _spellings(node: Node) -> frozenset[str] | None:
    """All texts that `node` matches, in lower case; None where they are too many or unknown."""
    match node:
        case Atom(consumes=False):
            return frozenset({""})
        case Atom():
            return _letters(node.text)
        case Choice():
            found = [_spellings(option) for option in node.options]
            known = [each for each in found if each is not None]
            together = frozenset().union(*known)
            return together if len(known) == len(found) and len(together) <= _MOST_SPELLINGS else None
        case Sequence():
            runs = _runs(flat(node), whole=True)
            return runs[0] if runs else None
        case Repeat():
            return _repeated_spellings(node)


def _repeated_spellings(node: Repeat) -> frozenset[str] | None:
    once = _spellings(node.node)
    if once is None or node.high != 1:
        return None
    return once if node.low else once | {""}


def _letters(text: str) -> frozenset[str] | None:
    """The characters, in lower case, that an atom of this text stands for; None for large classes and most escapes."""
    if text.startswith("(?") and text.endswith(")"):
        text = text.partition(":")[2][:-1]
    if text.startswith("[") and text.endswith("]"):
        letters = text[1:-1]
        # a hyphen between two others is a range, at an end it stands for itself
        plain = letters.replace("_", "").replace("-", "", letters.endswith("-") or letters.startswith("-"))
        return frozenset(letters.lower()) if plain.isalnum() and len(letters) <= _SMALL_CLASS else None
    if len(text) == 2 and text[0] == "\\" and not text[1].isalnum():
        return frozenset({text[1]})
    return frozenset({text.lower()}) if len(text) == 1 and text not in ".^$" else None

"""RE2's pattern syntax as a small tree: what the prefix closures and the width checks are derived from.

Owns reading a pattern. It neither matches text nor judges patterns: RE2 itself does both. A character or class stays
the source text it was, so nothing of RE2's many escapes is interpreted here.
Syntax: https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_ZERO_WIDTH_ESCAPES = frozenset("AbBz")
_FLAGS = frozenset("imsU")
_MAX_DEPTH = 200


class PatternSyntaxError(ValueError):
    """The pattern uses a construct that this reader does not know. RE2 may still accept it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """One character, escape or class (`consumes`), or one assertion such as `\\b` (does not)."""

    text: str
    consumes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """The parts, one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the options."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """`node` between `low` and `high` times; `high` None means without end."""

    node: Node
    low: int
    high: int | None


type Node = Atom | Sequence | Choice | Repeat


def parse(pattern: str) -> Node:
    """The tree of `pattern`. Groups and greediness are dropped: they change what a match captures, not its prefixes.

    Raises PatternSyntaxError where it meets what it does not know, and for `\\C`, which would cut characters apart.
    """
    reader = _Reader(pattern)
    node = reader.choice("", 0)
    if reader.at < len(pattern):
        raise PatternSyntaxError("unbalanced )")
    return node


def flat(node: Node) -> list[Node]:
    """The parts of a sequence, and of those in it, one after the other; anything else is its only part."""
    return [inner for part in node.parts for inner in flat(part)] if isinstance(node, Sequence) else [node]


def repeated(text: str, low: int, high: int | None) -> str:
    """The pattern `text` between `low` and `high` times."""
    body = f"(?:{text})"
    match (low, high):
        case (1, 1):
            return body
        case (0, None):
            return body + "*"
        case (1, None):
            return body + "+"
        case (_, None):
            return f"{body}{{{low},}}"
        case _:
            return f"{body}{{{low},{high}}}"


def width(node: Node) -> tuple[int, int | None]:
    """The fewest and the most characters that `node` matches; None means without end."""
    match node:
        case Atom():
            return (1, 1) if node.consumes else (0, 0)
        case Sequence():
            return _sum(width(part) for part in node.parts)
        case Choice():
            widths = [width(option) for option in node.options]
            highs = [high for _, high in widths]
            return min(low for low, _ in widths), None if None in highs else max(
                h for h in highs if h is not None
            )
        case Repeat():
            low, high = width(node.node)
            if high == 0 or node.high == 0:
                return low * node.low, 0
            return low * node.low, None if high is None or node.high is None else high * node.high


def needed(node: Node) -> int | None:
    """The most characters that a match may need until it is one, whatever it goes on to take; None where there is no
    such bound. A repetition without bound counts as what it must take, if nothing must stand behind it."""
    return _needed(node, last=True)


def _needed(node: Node, *, last: bool) -> int | None:
    match node:
        case Atom():
            return int(node.consumes)
        case Sequence():
            total = 0
            for place, part in enumerate(node.parts):
                optional = all(width(each)[0] == 0 for each in node.parts[place + 1 :])
                most = _needed(part, last=last and optional)
                if most is None:
                    return None
                total += most
            return total
        case Choice():
            options = [_needed(option, last=last) for option in node.options]
            known = [option for option in options if option is not None]
            return max(known, default=0) if len(known) == len(options) else None
        case Repeat():
            body = _needed(node.node, last=last and node.high is None and node.low <= 1)
            if body is None or (node.high is None and not last):
                return None
            return body * (node.low if node.high is None else node.high)


def _sum(widths: Iterable[tuple[int, int | None]]) -> tuple[int, int | None]:
    total, most = 0, 0
    endless = False
    for low, high in widths:
        total += low
        endless = endless or high is None
        most += high or 0
    return total, None if endless else most


class _Reader:
    """Recursive descent over one pattern. `flags` travel down as RE2 scopes them: to the end of their group."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self.at = 0

    def choice(self, flags: str, depth: int) -> Node:
        """Options up to the end of the pattern or the group's closing parenthesis."""
        if depth > _MAX_DEPTH:
            raise PatternSyntaxError("nested too deeply")
        options: list[Node] = []
        parts: list[Node] = []
        while self.at < len(self._pattern) and self._pattern[self.at] != ")":
            if self._pattern[self.at] == "|":
                self.at += 1
                options.append(_sequence(parts))
                parts = []
            elif (changed := self._flag_group(flags)) is not None:
                flags = changed
            else:
                parts.extend(self._repeated(flags, depth))
        options.append(_sequence(parts))
        return options[0] if len(options) == 1 else Choice(options=tuple(options))

    def _flag_group(self, flags: str) -> str | None:
        """The flags after a `(?i)` at this place, which holds to the end of the group, or None."""
        if not self._pattern.startswith("(?", self.at):
            return None
        end = self.at + 2
        while end < len(self._pattern) and self._pattern[end] in "imsU-":
            end += 1
        if end == self.at + 2 or self._pattern[end : end + 1] != ")":
            return None
        changed = _with(flags, self._pattern[self.at + 2 : end])
        self.at = end + 1
        return changed

    def _repeated(self, flags: str, depth: int) -> Iterable[Node]:
        nodes = self._primary(flags, depth)
        while (bounds := self._quantifier()) is not None:
            if not nodes:
                raise PatternSyntaxError("nothing to repeat")
            nodes = [*nodes[:-1], Repeat(node=nodes[-1], low=bounds[0], high=bounds[1])]
        return nodes

    def _quantifier(self) -> tuple[int, int | None] | None:
        char = self._pattern[self.at : self.at + 1]
        bounds: tuple[int, int | None] | None
        if char in _QUANTIFIERS:
            bounds = _QUANTIFIERS[char]
            end = self.at + 1
        elif char == "{":
            end = self._pattern.find("}", self.at) + 1
            bounds = _bounds(self._pattern[self.at + 1 : end - 1]) if end else None
        else:
            return None
        if bounds is None:
            return None  # a brace that is no repetition stands for itself
        self.at = end + (1 if self._pattern[end : end + 1] == "?" else 0)
        return bounds

    def _primary(self, flags: str, depth: int) -> list[Node]:
        char = self._pattern[self.at]
        match char:
            case "*" | "+" | "?":
                raise PatternSyntaxError("nothing to repeat")
            case "(":
                return [self._group(flags, depth)]
            case "[":
                return [_atom(self._class(), flags)]
            case "\\":
                return self._escape(flags)
            case "^" | "$":
                self.at += 1
                return [_atom(char, flags, consumes=False)]
            case _:
                self.at += 1
                return [_atom("\\" + char if char in "{}]" else char, flags)]

    def _group(self, flags: str, depth: int) -> Node:
        start = self.at + 1
        if self._pattern.startswith(("?P<", "?<"), start):
            self.at = self._pattern.find(">", start) + 1
            if not self.at:
                raise PatternSyntaxError("group name without end")
        elif self._pattern.startswith("?", start):
            colon = start + 1
            while self._pattern[colon : colon + 1] in tuple("imsU-"):
                colon += 1
            if self._pattern[colon : colon + 1] != ":":
                raise PatternSyntaxError("unknown group")
            flags = _with(flags, self._pattern[start + 1 : colon])
            self.at = colon + 1
        else:
            self.at = start
        node = self.choice(flags, depth + 1)
        if self._pattern[self.at : self.at + 1] != ")":
            raise PatternSyntaxError("missing )")
        self.at += 1
        return node

    def _class(self) -> str:
        start = self.at
        end = start + 1
        if self._pattern[end : end + 1] == "^":
            end += 1
        if self._pattern[end : end + 1] == "]":
            end += 1
        while end < len(self._pattern) and self._pattern[end] != "]":
            if self._pattern.startswith("[:", end) and (close := self._pattern.find(":]", end)) > 0:
                end = close + 2
            else:
                end += 2 if self._pattern[end] == "\\" else 1
        if end >= len(self._pattern):
            raise PatternSyntaxError("missing ]")
        self.at = end + 1
        return self._pattern[start : self.at]

    def _escape(self, flags: str) -> list[Node]:
        start = self.at
        kind = self._pattern[start + 1 : start + 2]
        if not kind or kind == "C":
            raise PatternSyntaxError("\\C and a trailing backslash are not supported")
        if kind == "Q":
            return self._quoted(flags)
        end = start + 2
        if kind in "pPx" and self._pattern[end : end + 1] == "{":
            end = self._pattern.find("}", end) + 1
        elif kind in "pP":
            end += 1
        elif kind == "x":
            end += 2
        elif kind.isdigit():
            while end < start + 4 and self._pattern[end : end + 1] in tuple("01234567"):
                end += 1
        self.at = end
        return [_atom(self._pattern[start:end], flags, consumes=kind not in _ZERO_WIDTH_ESCAPES)]

    def _quoted(self, flags: str) -> list[Node]:
        start = self.at + 2
        end = self._pattern.find("\\E", start)
        end = len(self._pattern) if end < 0 else end
        self.at = min(end + 2, len(self._pattern))
        return [
            _atom(char if char.isalnum() or ord(char) > 127 else "\\" + char, flags)
            for char in self._pattern[start:end]
        ]


def _sequence(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Sequence(parts=tuple(parts))


def _atom(text: str, flags: str, *, consumes: bool = True) -> Atom:
    return Atom(text=f"(?{flags}:{text})" if flags else text, consumes=consumes)


def _with(flags: str, change: str) -> str:
    on, _, off = change.partition("-")
    if not set(on + off) <= _FLAGS:
        raise PatternSyntaxError("unknown flag")
    # greediness (U) says nothing about prefixes
    return "".join(sorted((set(flags) | set(on)) - set(off) - {"U"}))


def _bounds(text: str) -> tuple[int, int | None] | None:
    low, comma, high = text.partition(",")
    if not low.isdecimal() or not (high.isdecimal() or not high):
        return None
    if not comma:
        return int(low), int(low)
    return int(low), int(high) if high else None

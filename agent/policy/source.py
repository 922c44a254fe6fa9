"""A policy's text, read as YAML into plain values that remember their lines. Knows YAML, not policies.

The subset is meant: one document, no anchors or aliases (so nothing can grow), no tags, and YAML 1.2's plain
scalars (`no` and `12:30` are texts). Every limit is checked before anything is built.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

type Tree = dict[str, Tree] | list[Tree] | str | int | float | bool | None
"""What a document holds: the values of JSON."""

type Location = tuple[str | int, ...]
"""Keys and indices from the root to a value."""

MAX_BYTES = 5 * 1024 * 1024
_MAX_DEPTH = 16
_MAX_NODES = 200_000
_MAX_INTEGER = 2**53 - 1  # RFC 8259 section 6: beyond it, JSON readers disagree
_MAX_SHOWN = 24  # longer than our keys, shorter than a provider's
_MAX_SHOWN_DIGITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something wrong at a place of a policy. `text` never holds a value that may be secret."""

    location: Location
    text: str
    line: int | None = None  # 1-based, where it is not simply the line of `location`


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document with the line of every value and key, and what is wrong with it as YAML."""

    tree: Tree = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def line(self, location: Location) -> int:
        """The 1-based line of `location`, or of the nearest value around it that exists."""
        while location not in self.lines and location:
            location = location[:-1]
        return self.lines.get(location, 1)


class _YamlError(Exception):
    """Reading cannot go on."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(location=(), text=text, line=line)


def read(text: str) -> Source:
    """Read one YAML document. Never raises: what is wrong is in `problems`."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return Source(
            problems=(Problem(location=(), text=f"the file is larger than {MAX_BYTES // 1024 // 1024} MB"),)
        )
    reader = _Reader()
    try:
        tree = reader.document(_events(text))
    except _YamlError as error:
        return Source(problems=(error.problem,))
    return Source(tree=tree, lines=reader.lines, problems=tuple(reader.problems))


def shown_key(key: str) -> str:
    """`key` if it looks like a key; a secret that was pasted where a key belongs is not repeated."""
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    short = len(key) <= _MAX_SHOWN and sum(map(str.isdigit, key)) <= _MAX_SHOWN_DIGITS
    return key if plain and short else "(key not shown)"


def dotted(location: Location) -> str:
    """`location` as people write it: `access[2].hosts[0]`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{shown_key(step)}" for step in location)
    return words.removeprefix(".")


def _events(text: str) -> Iterator[yaml.Event]:
    # libyaml is 25 times faster; a wheel without it still reads policies
    loader = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _YamlError(line, "not valid YAML: a control or other unprintable character") from None
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(text, error) from None
    except UnicodeError:
        raise _YamlError(1, "not valid YAML: the text is not valid Unicode") from None


def _syntax_error(text: str, error: yaml.MarkedYAMLError) -> _YamlError:
    mark = error.problem_mark or error.context_mark
    line = mark.line if mark is not None else 0
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return _YamlError(line + 1, "not valid YAML: a tab indents this line; YAML wants spaces")
    return _YamlError(line + 1, f"not valid YAML: {error.problem or error.context}")


class _Reader:
    """Builds the tree from events."""

    def __init__(self) -> None:
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def document(self, events: Iterator[yaml.Event]) -> Tree:
        """The one document. Raises _YamlError where reading cannot go on."""
        tree: Tree = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _YamlError(_line(event), "only one YAML document is allowed: remove the '---'")
            elif isinstance(event, yaml.NodeEvent):
                tree = self._node(event, events, ())
        return tree

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], location: Location) -> Tree:
        self._nodes += 1
        self.lines.setdefault(location, _line(event))
        if self._nodes > _MAX_NODES or len(location) > _MAX_DEPTH:
            raise _YamlError(
                _line(event), f"too large: at most {_MAX_NODES} values, {_MAX_DEPTH} levels deep"
            )
        if getattr(event, "anchor", None) is not None:
            self._wrong(event, location, "anchors and aliases (& and *) are not allowed: write the value out")
        if (getattr(event, "tag", None) or "!") != "!":
            self._wrong(event, location, "tags (!) are not allowed")
        match event:
            case yaml.MappingStartEvent():
                return self._mapping(events, location)
            case yaml.SequenceStartEvent():
                return self._sequence(events, location)
            case yaml.ScalarEvent():
                return self._scalar(event, location)
            case _:
                return None  # an alias, already reported

    def _mapping(self, events: Iterator[yaml.Event], location: Location) -> Tree:
        mapping: dict[str, Tree] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, events, location)
            inside = (*location, key)
            if key in mapping:
                self._wrong(
                    event,
                    inside,
                    f"this key is already written on line {self.lines[inside]}: keep one of them",
                )
            self.lines.setdefault(inside, _line(event))
            mapping[key] = self._node(next(events), events, inside)
        return mapping

    def _key(self, event: yaml.Event, events: Iterator[yaml.Event], location: Location) -> str:
        if isinstance(event, yaml.ScalarEvent):
            key = self._node(event, events, location)
            if not isinstance(key, str):
                self._wrong(event, location, "a key must be text: write it in quotes")
            return str(event.value)
        raise _YamlError(_line(event), "a key must be text, not a list, mapping or alias")

    def _sequence(self, events: Iterator[yaml.Event], location: Location) -> Tree:
        items: list[Tree] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*location, len(items))))
        return items

    def _scalar(self, event: yaml.ScalarEvent, location: Location) -> Tree:
        text = str(event.value)
        try:
            text.encode()
        except UnicodeEncodeError:
            self._wrong(event, location, "the text is not valid Unicode")
            return None
        value = _plain(text) if event.implicit[0] else text
        if isinstance(value, int) and abs(value) > _MAX_INTEGER:
            self._wrong(event, location, "the number is too large")
            return None
        return value

    def _wrong(self, event: yaml.Event, location: Location, text: str) -> None:
        self.problems.append(Problem(location=location, text=text, line=_line(event)))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _plain(text: str) -> Tree:
    """An unquoted scalar by YAML 1.2's core schema (section 10.3.2), without octal, hex, infinity, NaN."""
    match text:
        case "" | "~" | "null" | "Null" | "NULL":
            return None
        case "true" | "True" | "TRUE":
            return True
        case "false" | "False" | "FALSE":
            return False
        case _ if set(text) <= set("0123456789+-.eE"):
            return _number(text)
        case _:
            return text


def _number(text: str) -> Tree:
    digits = text.lstrip("+-")
    try:
        number = int(text) if digits.isdecimal() and len(digits) < 20 else float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text

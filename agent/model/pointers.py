"""Where in a JSON document something stands, written as a text: JSON Pointer (RFC 6901) with a few more steps.

```
/messages/*/content            `*` is every item of a list, every value of an object
/messages/*[role=user]/content only items that fit; `!=` differs, `^=` begins and `$=` ends so, `|` is or, `[x]` has it
[type=stream]/token            the document itself must fit
/f.req/$json/0/0               `$json` goes on inside the JSON text that stands there
/blocks/*[usage@]/text         the value of `usage` names the text that is found; `*@` does so with the place
```

A number is a place in a list, or the key of that name. `.` parts the keys inside brackets; `~0`, `~1`, `~2`, `~3` stand
for `~`, `/`, `[`, `.`. No step goes through levels that it does not name, so reading costs no more than the document is
long.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_STEPS = 16
MAX_LENGTH = 300
_ESCAPES = (("~1", "/"), ("~2", "["), ("~3", "."), ("~0", "~"))


class Fit(StrEnum):
    """What a filter asks of a value."""

    HAS = ""
    NAMES = "@"  # there is one, and it names what is found
    IS = "="
    IS_NOT = "!="
    BEGINS = "^="
    ENDS = "$="


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition on a value: `path` leads from it to what is compared with `values`. Numbers, true, false and null are
    compared as JSON writes them; what is missing is no value."""

    path: tuple[str, ...]
    test: Fit = Fit.HAS
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step down, and the conditions on where it leads. `key` None is every child."""

    key: str | None
    into_json: bool = False  # into the JSON text that stands here, instead of to a child
    named: bool = False  # the place names what is found
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A way through a document. `filters` are conditions on the document itself."""

    steps: tuple[Step, ...] = ()
    filters: tuple[Filter, ...] = ()


def parse_pointer(text: str) -> Pointer:
    """The pointer that `text` is. Raises ValueError with what is wrong with it."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    parts = _split(text)
    first, filters = _bracketed(parts[0])
    if first:
        raise ValueError("must begin with '/' or '['")
    steps = tuple(_step(part) for part in parts[1:])
    if len(steps) > MAX_STEPS:
        raise ValueError(f"has more than {MAX_STEPS} steps")
    return Pointer(steps=steps, filters=filters)


def _split(text: str) -> list[str]:
    """The parts between slashes; those in brackets part nothing."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if depth not in (0, 1):
            raise ValueError("has brackets that do not match")
        if letter == "/" and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise ValueError("has brackets that do not match")
    return parts


def _step(part: str) -> Step:
    word, filters = _bracketed(part)
    match word:
        case "":
            raise ValueError("has an empty step")
        case "*" | "*@":
            return Step(key=None, named=word == "*@", filters=filters)
        case "$json":
            return Step(key="", into_json=True, filters=filters)
        case _ if set(word) & set("*$@"):
            raise ValueError(f"has a step {word!r}: '*', '*@' and '$json' stand alone")
    return Step(key=_plain(word), filters=filters)


def _bracketed(part: str) -> tuple[str, tuple[Filter, ...]]:
    word, *rest = part.split("[")
    if any(not each.endswith("]") for each in rest):
        raise ValueError("has something behind a bracket that is no '/'")
    return word, tuple(_filter(each[:-1]) for each in rest)


def _filter(text: str) -> Filter:
    if text.endswith("@") and "=" not in text:
        return Filter(path=_path(text[:-1]), test=Fit.NAMES)
    left, equals, right = text.partition("=")
    if not equals:
        return Filter(path=_path(left))
    test = {"!": Fit.IS_NOT, "^": Fit.BEGINS, "$": Fit.ENDS}.get(left[-1:], Fit.IS)
    path = left if test is Fit.IS else left[:-1]
    return Filter(path=_path(path), test=test, values=tuple(map(_plain, right.split("|"))))


def _path(text: str) -> tuple[str, ...]:
    keys = tuple(map(_plain, text.split(".")))
    if "" in keys:
        raise ValueError("has a filter without a key")
    return keys


def _plain(text: str) -> str:
    for escape, letter in _ESCAPES:
        text = text.replace(escape, letter)
    return text

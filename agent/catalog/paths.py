"""Request paths: brought to one spelling, then matched against the templates of the catalog.

A path that a provider would route to its inference endpoint must not slip past us by another spelling, so both sides
are compared percent-decoded, with empty and dot segments resolved, without parameters (`;v=1`, RFC 3986 section 3.3)
and trailing slashes, and in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

type Segment = tuple[str, str] | str
"""A literal segment, or what stands before and after its name in braces."""


def normalise(path: str) -> str:
    """The one spelling of a request path (RFC 3986 section 6.2.2), percent-decoded. Always starts with `/`."""
    segments: list[str] = []
    for part in unquote(path).replace("\\", "/").split("/"):
        segment = part.partition(";")[0]
        if segment in ("", "."):
            continue
        if segment == "..":
            if segments:
                segments.pop()
            continue
        segments.append(segment)
    return "/" + "/".join(segments)


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A compiled template such as `/v1/models/{model}:generateContent`, `**/chat/completions` or `/login/**`."""

    any_prefix: bool
    any_rest: bool
    segments: tuple[Segment, ...]
    literal: tuple[str, ...] | None  # the segments where none has a name in braces

    @classmethod
    def compile(cls, template: str) -> PathTemplate:
        """Raises ValueError for a template that starts with neither `/` nor `**/`, has a `*` elsewhere than there and
        in a last `/**`, or two names in a segment."""
        any_prefix = template.startswith("**/")
        if not any_prefix and not template.startswith("/"):
            raise ValueError(f"{template!r} must start with '/' or '**/'")
        whole = template.removeprefix("**")
        any_rest = whole.endswith("/**")
        inner = whole.removesuffix("/**").strip("/")
        if "*" in inner or (any_prefix and not inner):
            raise ValueError(f"{template!r} must have '**' only first or last, and something beside it")
        segments = () if any_rest and not inner else tuple(_segment(part) for part in inner.split("/"))
        literal = tuple(segment for segment in segments if isinstance(segment, str))
        return cls(any_prefix, any_rest, segments, literal if len(literal) == len(segments) else None)

    @property
    def specimen(self) -> str:
        """A path of this shape that only spells the template: to see which other template has it too."""
        return "/" + "/".join(part if isinstance(part, str) else "x".join(part) for part in self.segments)

    @property
    def last(self) -> str:
        """What the last segment of every path of this shape is, or ends in from its colon on; empty: no telling."""
        if self.any_rest:
            return ""
        segment = self.segments[-1]
        if isinstance(segment, str):
            return segment
        after = segment[1]
        return after if after.startswith(":") and ":" not in after[1:] else ""

    def matches(self, path: str) -> bool:
        """Whether a normalised path fits."""
        return self.fits(parts_of(path))

    def fits(self, parts: tuple[str, ...]) -> bool:
        """Whether the segments of a normalised path, in lower case, fit."""
        extra = len(parts) - len(self.segments)
        if extra == 0:
            return self._here(parts)
        if extra < 0:
            return False
        size = len(self.segments)
        if not self.any_rest:
            return self.any_prefix and self._here(parts[extra:])
        if not self.any_prefix:
            return self._here(parts[:size])
        return any(self._here(parts[start : start + size]) for start in range(extra + 1))

    def _here(self, parts: tuple[str, ...]) -> bool:
        if self.literal is not None:
            return parts == self.literal
        return all(map(_fits, self.segments, parts))


class PathIndex[Value]:
    """Templates in order, each with a value, found by the last segment of a path: most have a literal one."""

    __slots__ = ("_by_last", "_open")

    def __init__(self, entries: Iterable[tuple[PathTemplate, Value]]) -> None:
        ordered = list(entries)
        self._open = tuple(each for each in ordered if not each[0].last)
        self._by_last = {
            last: tuple(each for each in ordered if each[0].last in ("", last, _from_colon(last)))
            for last in {each[0].last for each in ordered}
            if last
        }

    def candidates(self, last: str) -> tuple[tuple[PathTemplate, Value], ...]:
        """The templates, in order, that a path may fit whose last segment, in lower case, is `last`."""
        found = self._by_last.get(last)
        if found is None:
            found = self._by_last.get(_from_colon(last), self._open) if ":" in last else self._open
        return found


class PathSet:
    """Templates of which only is asked whether a path fits one. Most begin with a literal segment."""

    __slots__ = ("_by_first", "_open")

    def __init__(self, templates: Iterable[PathTemplate]) -> None:
        firsts = {template: _first(template) for template in templates}
        self._open = tuple(template for template in firsts if not firsts[template])
        self._by_first = {
            first: (*(template for template in firsts if firsts[template] == first), *self._open)
            for first in set(firsts.values())
            if first
        }

    def has(self, parts: tuple[str, ...]) -> bool:
        """Whether the segments of a normalised path, in lower case, fit a template."""
        for template in self._by_first.get(parts[0], self._open):  # noqa: SIM110  a generator costs more than the loop
            if template.fits(parts):
                return True
        return False


def parts_of(path: str) -> tuple[str, ...]:
    """The segments of a normalised path, in lower case."""
    return tuple(path.lower().strip("/").split("/"))


def _first(template: PathTemplate) -> str:
    """The first segment of every path of this shape; empty: no telling."""
    first = template.segments[0] if template.segments and not template.any_prefix else ""
    return first if isinstance(first, str) else ""


def _from_colon(segment: str) -> str:
    """What follows the last colon of a segment, with it: the method in Google's paths."""
    place = segment.rfind(":")
    return segment[place:] if place >= 0 else segment


def _segment(part: str) -> Segment:
    part = part.lower()
    if "{" not in part:
        return part
    before, _, rest = part.partition("{")
    _, closed, after = rest.partition("}")
    if not closed or "{" in after:
        raise ValueError(f"{part!r} must have one closed {{name}}")
    return before, after


def _fits(segment: Segment, part: str) -> bool:
    if isinstance(segment, str):
        return segment == part
    before, after = segment
    return len(part) > len(before) + len(after) and part.startswith(before) and part.endswith(after)

"""Request paths: brought to one spelling, then matched against the templates of the catalog.

A path that a provider would route to its inference endpoint must not slip past us by another spelling, so both sides
are compared percent-decoded, with empty and dot segments resolved, without parameters (`;v=1`, RFC 3986 section 3.3)
and trailing slashes, and in lower case.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote


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
    """A compiled template such as `/v1/models/{model}:generateContent` or `**/chat/completions`."""

    any_prefix: bool
    segments: tuple[tuple[str, str] | str, ...]  # a literal, or what stands before and after `{name}`

    @classmethod
    def compile(cls, template: str) -> PathTemplate:
        """Raises ValueError for a template that starts with neither `/` nor `**/`, or has two names in a segment."""
        any_prefix = template.startswith("**/")
        if not any_prefix and not template.startswith("/"):
            raise ValueError(f"{template!r} must start with '/' or '**/'")
        parts = template.removeprefix("**").strip("/").split("/")
        return cls(any_prefix, tuple(_segment(part) for part in parts))

    @property
    def ending(self) -> str | None:
        """The last segment where it is a literal, else None."""
        last = self.segments[-1]
        return last if isinstance(last, str) else None

    def matches(self, path: str) -> bool:
        """Whether a normalised path fits."""
        return self.fits(split(path))

    def fits(self, parts: list[str]) -> bool:
        """The same for a path that was split."""
        extra = len(parts) - len(self.segments)
        if extra < 0 or (extra and not self.any_prefix):
            return False
        return all(map(_fits, self.segments, parts[extra:]))


def split(path: str) -> list[str]:
    """The segments of a normalised path, as templates are compared with them."""
    return path.lower().strip("/").split("/")


def _segment(part: str) -> tuple[str, str] | str:
    part = part.lower()
    if "{" not in part:
        return part
    before, _, rest = part.partition("{")
    _, closed, after = rest.partition("}")
    if not closed or "{" in after:
        raise ValueError(f"{part!r} must have one closed {{name}}")
    return before, after


def _fits(segment: tuple[str, str] | str, part: str) -> bool:
    if isinstance(segment, str):
        return segment == part
    before, after = segment
    return len(part) > len(before) + len(after) and part.startswith(before) and part.endswith(after)

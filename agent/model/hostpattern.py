"""Hosts as the catalog and the policy write them, and tables that are asked for a host name.

A host is an exact name (`api.openai.com`), a suffix (`*.openai.azure.com`: every name below, not the name itself) or a
template (`bedrock-runtime.{region}.amazonaws.com`, `{region}-aiplatform.googleapis.com`), in which `{name}` stands for
one or more characters of one label, never for a dot. The last two labels of a template are literal, so that none spans
what belongs to different owners. An exact name goes before a template, and a template before a suffix; of templates the
one whose last literal labels are longest, then the one whose first label is literal, then the one with more literal
characters. Nothing here is a regular expression.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

_WILD = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")  # what a name in braces stands for
_LITERAL_END = 2  # labels

type Label = tuple[str, str] | str
"""A literal label, or what stands before and after the name in braces."""


@dataclass(frozen=True, slots=True)
class HostTemplate:
    """A compiled template."""

    text: str
    labels: tuple[Label, ...]
    tail: str  # the literal labels after the last name in braces, joined

    @classmethod
    def compile(cls, text: str) -> HostTemplate:
        """Raises ValueError for a stray brace, two names in a label, or fewer than two literal labels at the end."""
        labels = tuple(_label(part, text) for part in text.split("."))
        wild = [place for place, label in enumerate(labels) if not isinstance(label, str)]
        if not wild:
            raise ValueError(f"{text!r} has no name in braces")
        tail = labels[wild[-1] + 1 :]
        if len(tail) < _LITERAL_END:
            raise ValueError(f"{text!r} is too wide: the last {_LITERAL_END} labels must have no braces")
        return cls(text, labels, ".".join(str(label) for label in tail))

    @property
    def first(self) -> str:
        """The first label where it is literal, else nothing."""
        label = self.labels[0]
        return label if isinstance(label, str) else ""

    @property
    def specimen(self) -> str:
        """A host name of this shape that only spells the template: to check what stands around the braces."""
        return ".".join(label if isinstance(label, str) else "x".join(label) for label in self.labels)

    @property
    def literal(self) -> int:
        """How many characters of it are literal."""
        return sum(len(part) for label in self.labels for part in label)

    def fits(self, labels: list[str]) -> bool:
        """Whether the labels of a host name (lower case) are of this shape."""
        return len(labels) == len(self.labels) and all(map(_fits, self.labels, labels))


def is_template(host: str) -> bool:
    """Whether a host of the catalog is a template."""
    return "{" in host or "}" in host


def overlap(first: str, second: str) -> bool:
    """Whether some host name fits both of two hosts as the catalog writes them (lower case).

    Two names in braces that share a label are taken to meet where their literal parts do not contradict each other.
    """
    left, right = _reversed(first), _reversed(second)
    for one, other in zip_longest(left, right):
        if one == "*" or other == "*":  # all that is left of the other side, if that is anything
            return one is not None and other is not None
        if one is None or other is None or not _meet(one, other):
            return False
    return True


class HostTable[Value]:
    """What is known of hosts, found by host name."""

    def __init__(self) -> None:
        self._exact: dict[str, Value] = {}
        self._suffixes: dict[str, Value] = {}
        self._templates: dict[str, tuple[HostTemplate, Value]] = {}
        self._shapes: dict[str, dict[str, tuple[tuple[HostTemplate, Value], ...]]] = {}

    def put(self, host: str, value: Value) -> None:
        """Keep `value` for a host as the catalog writes it (lower case). Raises ValueError for a bad template."""
        if host.startswith("*."):
            self._suffixes[host[2:]] = value
        elif is_template(host):
            self._templates[host] = (HostTemplate.compile(host), value)
            self._arrange()
        else:
            self._exact[host] = value

    def kept(self, host: str) -> Value | None:
        """The value for a host as the catalog writes it, no other."""
        if host.startswith("*."):
            return self._suffixes.get(host[2:])
        if is_template(host):
            found = self._templates.get(host)
            return found[1] if found else None
        return self._exact.get(host)

    def find(self, host: str) -> Value | None:
        """The value for a host name (lower case, no final dot), None where nothing fits."""
        if (found := self._exact.get(host)) is not None:
            return found
        below: Value | None = None
        dot = host.find(".")
        while dot >= 0:
            rest = host[dot + 1 :]
            if (shapes := self._shapes.get(rest)) is not None and (hit := _shaped(shapes, host)) is not None:
                return hit
            if below is None:
                below = self._suffixes.get(rest)
            dot = host.find(".", dot + 1)
        return below

    def _arrange(self) -> None:
        """Order the templates so that the first that fits is the one that counts."""
        ordered = sorted(self._templates.values(), key=lambda each: (-each[0].literal, each[0].text))
        shapes: dict[str, dict[str, tuple[tuple[HostTemplate, Value], ...]]] = {}
        for each in ordered:
            heads = shapes.setdefault(each[0].tail, {})
            heads[each[0].first] = (*heads.get(each[0].first, ()), each)
        self._shapes = shapes


def _shaped[Value](shapes: dict[str, tuple[tuple[HostTemplate, Value], ...]], host: str) -> Value | None:
    labels = host.split(".")
    for head in (labels[0], ""):
        for template, value in shapes.get(head, ()):
            if template.fits(labels):
                return value
    return None


def _label(part: str, text: str) -> Label:
    before, opened, rest = part.partition("{")
    if not opened:
        if "}" in part:
            raise ValueError(f"{text!r} has a stray brace")
        return part
    name, closed, after = rest.partition("}")
    if not closed or not name.isidentifier() or "{" in after or "}" in before + after:
        raise ValueError(f"{text!r} must have one closed {{name}} in a label")
    return before, after


def _fits(label: Label, part: str) -> bool:
    if isinstance(label, str):
        return label == part
    before, after = label
    return (
        len(part) > len(before) + len(after)
        and part.startswith(before)
        and part.endswith(after)
        and not set(part) - _WILD
    )


def _reversed(host: str) -> list[Label]:
    """The labels from the right; a suffix ends in `*`."""
    return [_label(part, host) for part in reversed(host.split("."))]


def _meet(one: Label, other: Label) -> bool:
    if isinstance(one, str):
        return _fits(other, one)
    if isinstance(other, str):
        return _fits(one, other)
    (before, after), (begins, ends) = one, other
    return (before.startswith(begins) or begins.startswith(before)) and (
        after.endswith(ends) or ends.endswith(after)
    )

"""Forms as pages send them (application/x-www-form-urlencoded): found in place, edited in place.

Follows the WHATWG URL standard, section 5, and reads strictly: a broken escape, bytes that are no UTF-8 or a name that
comes twice could be read in more than one way, and are no form here. An edit writes anew only the stretch of a value in
which something changes; every other byte stays as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, quote_plus, unquote_to_bytes

from agent.errors import ContentError

MAX_FIELDS = 200
CONTENT_TYPE = "application/x-www-form-urlencoded"
_PLAIN = "*-._"  # which the standard's serialiser does not escape, besides letters and digits
_PLAINER = "!'()*~-._"  # nor does encodeURIComponent, by which many pages write their forms
_HEX = frozenset(b"0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. Its value as written is `body[start:end]`."""

    name: str
    value: str
    start: int
    end: int


def fields_of(body: bytes) -> tuple[Field, ...]:
    """The fields of a form, in order. Raises ContentError where it could be read otherwise."""
    found: list[Field] = []
    at = 0
    for part in body.split(b"&"):
        name, equals, value = part.partition(b"=")
        start = at + len(name) + len(equals)
        at += len(part) + 1
        if not part:
            continue
        if len(found) >= MAX_FIELDS:
            raise ContentError(f"the form has more than {MAX_FIELDS} fields")
        found.append(Field(name=_decoded(name), value=_decoded(value), start=start, end=start + len(value)))
    if len({field.name for field in found}) < len(found):
        raise ContentError("the form names a field twice")
    return tuple(found)


def with_values(body: bytes, values: Mapping[str, str]) -> bytes:
    """The form with other values in those of its fields. Raises ContentError where it has no such field."""
    missing = set(values)
    made: list[bytes] = []
    at = 0
    for field in fields_of(body):
        if field.name not in values:
            continue
        missing.discard(field.name)
        made += (
            body[at : field.start],
            _rewritten(body[field.start : field.end], field.value, values[field.name]),
        )
        at = field.end
    if missing:
        raise ContentError("the form has no such field")
    return b"".join((*made, body[at:]))


def _rewritten(written: bytes, before: str, after: str) -> bytes:
    """`written`, which says `before`, so that it says `after`: what both have in common at their ends stays."""
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    start = _place(written, len(before[:head].encode()))
    end = _place(written, len(before[: len(before) - tail].encode()))
    middle = after[head : len(after) - tail]
    pluses = b"+" in written or b"%20" not in written
    new = quote_plus(middle, safe=_PLAIN) if pluses else quote(middle, safe=_PLAINER)
    return written[:start] + new.encode() + written[end:]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _place(written: bytes, count: int) -> int:
    """Where in `written` its first `count` decoded bytes end."""
    at = 0
    for index, piece in enumerate(written.split(b"%")):
        plain = len(piece)
        if index:
            if not count:
                break
            count, at, plain = count - 1, at + 3, plain - 2
        if count <= plain:
            return at + count
        count, at = count - plain, at + plain
    return at


def _decoded(written: bytes) -> str:
    if b"%" in written:
        for piece in written.split(b"%")[1:]:
            if len(piece) < 2 or not _HEX.issuperset(piece[:2]):
                raise ContentError("the form has a broken escape")
    try:
        return unquote_to_bytes(written.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ContentError("a field of the form is no UTF-8") from None

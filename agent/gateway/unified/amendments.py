"""What the gateway changes in a request that keeps its format: the model's name, and fields of the gateway's own.

Everything else stays as it came, byte by byte where that is possible: unknown fields, their order, how numbers are
written. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from agent.dialects.jsonedits import edit
from agent.errors import ContentError
from agent.model.content import Edit
from agent.model.direct import direct

_MODEL = (("model",),)
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/@")
OUR_FIELDS = frozenset({"fallbacks"})
"""Fields of a request that are for the gateway, not for a provider."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Amendments:
    """Changes to one JSON body. `model` replaces a name that the body holds; `add` are top-level fields, in place of
    those of the same name that it may have, or within them where both are objects; `remove` and `rename` are top-level
    fields that it may have."""

    model: tuple[str, str] | None = None  # as it stands there, and as it should
    add: Mapping[str, object] = field(default_factory=dict)
    remove: frozenset[str] = frozenset()
    rename: Mapping[str, str] = field(default_factory=dict)

    def made(self, body: bytes) -> bytes:
        """`body` with the changes. Raises ContentError where it is no JSON object."""
        add = self.add
        if self.remove or self.rename or any(may_have(body, name) for name in add):
            body, add = self._rewritten(body)
        if self.model is not None and self.model[0] != self.model[1]:
            body = _renamed(body, *self.model)
        return _with(body, add) if add else body

    def _rewritten(self, body: bytes) -> tuple[bytes, Mapping[str, object]]:
        """The body without what goes or is replaced, and what is to be added to it."""
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ContentError(f"the request is no JSON: {error}") from error
        if not isinstance(document, dict):
            raise ContentError("the request is JSON but not an object")
        add = {name: _within(document.get(name), value) for name, value in self.add.items()}
        gone = self.remove | add.keys()
        if not (gone | self.rename.keys()) & document.keys():
            return body, add
        kept = {self.rename.get(key, key): value for key, value in document.items() if key not in gone}
        for name in add:  # also under the name that it had before
            kept.pop(name, None)
        return orjson.dumps(kept), add


def _within(there: object, value: object) -> object:
    """`value`, among the fields of what is there where both are objects."""
    return {**there, **value} if isinstance(there, dict) and isinstance(value, Mapping) else value


def may_have(body: bytes, name: str) -> bool:
    """Whether the body may have a field of that name; escapes can spell it in many ways."""
    return f'"{name}"'.encode() in body or b"\\u" in body


def _renamed(body: bytes, before: str, after: str) -> bytes:
    """The body with another model's name. Where its field is written once, and plainly, nothing has to be parsed."""
    if _PLAIN.issuperset(before) and _PLAIN.issuperset(after) and body.count(b'"model"') == 1:
        for colon in (b":", b": "):
            field_ = b'"model"' + colon + b'"' + before.encode() + b'"'
            if body.count(field_) == 1:
                return body.replace(field_, b'"model"' + colon + b'"' + after.encode() + b'"')
    return edit(body, (Edit(address=_MODEL, start=0, end=len(before), replacement=after),))


def _with(body: bytes, fields: Mapping[str, object]) -> bytes:
    """The object in `body` with further fields, written before its own."""
    opened = body.find(b"{")
    if opened < 0 or body[:opened].strip():
        raise ContentError("the request is JSON but not an object")
    rest = body[opened + 1 :]
    comma = b"" if rest.lstrip()[:1] == b"}" else b","
    return body[: opened + 1] + orjson.dumps(dict(fields))[1:-1] + comma + rest

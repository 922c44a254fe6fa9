"""What one provider signed or sealed, inside a field that another format has for the same purpose.

Providers want their thoughts back as they gave them, and clients hand back unread what they were given. A client of
another format has one opaque field at most (OpenAI's `encrypted_content`, Gemini's `thoughtSignature`); what belongs
there is marked, so that the way back tells a foreign seal from one of the format's own.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, fields

import orjson

_MARK = "drawbridge:1"  # twelve bytes: in base64 they are sixteen letters, whatever follows
_MARK64 = base64.b64encode(_MARK.encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A thinking part's signature, sealed content and id, or the signature of the tool call `call`."""

    signature: str = ""
    sealed: str = ""
    id: str = ""
    call: str = ""


_FIELDS = tuple(field.name for field in fields(Seal))


def written(seal: Seal) -> str:
    """The seal as one string."""
    held = {name: value for name in _FIELDS if (value := getattr(seal, name))}
    return _MARK + orjson.dumps(held).decode()


def read(text: str) -> Seal | None:
    """The seal that `written` wrote; None where it is something else."""
    if not text.startswith(_MARK):
        return None
    try:
        held = orjson.loads(text[len(_MARK) :])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(held, dict):
        return None
    return Seal(**{name: value for name in _FIELDS if isinstance(value := held.get(name), str)})


def written64(seal: Seal) -> str:
    """The same in base64, for a field of bytes."""
    return base64.b64encode(written(seal).encode()).decode()


def read64(text: str) -> Seal | None:
    """The seal that `written64` wrote, in either alphabet; None where it is something else."""
    if not text.startswith(_MARK64):
        return None
    try:
        return read(base64.b64decode(text.replace("-", "+").replace("_", "/")).decode())
    except (binascii.Error, UnicodeDecodeError):
        return None


def is_base64(text: str) -> bool:
    """Whether a field of bytes can hold `text` as it is."""
    try:
        return bool(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True))
    except (binascii.Error, ValueError):
        return False

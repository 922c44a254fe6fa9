"""The virtual key that a request brings: found wherever clients put a key, and taken out of what travels on.

Only values that start as our keys do count, but for the header that is ours alone: a provider's own key is left where
it stands. Header names are lower case, as ASGI gives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from agent.accounts.keys import PREFIX

type Pairs = Iterable[tuple[bytes, bytes]]

OWN_HEADER = b"x-drawbridge-key"
HEADERS = frozenset({b"authorization", b"x-api-key", b"x-goog-api-key", b"api-key", OWN_HEADER})
"""Where clients put a key."""

_QUERY_NAME = b"key"  # Gemini's
_PREFIX = PREFIX.encode()
_MAX_LENGTH = 256  # bytes; what is longer is no key of ours


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A key as it came. `place` is the header's name, or `?key`."""

    value: str = field(repr=False)
    place: str


def find(headers: Pairs, query: bytes = b"") -> Presented | None:
    """The key of a request: of our own header first, then the first of the others, then of the query."""
    found: Presented | None = None
    for name, value in headers:
        if name not in HEADERS or (key := _key(name, value)) is None:
            continue
        if name == OWN_HEADER:
            return Presented(value=_text(key), place=name.decode())
        if found is None:
            found = Presented(value=_text(key), place=name.decode())
    if found is None and query:
        for part in query.split(b"&"):
            if (key := _query_key(part)) is not None:
                return Presented(value=_text(key), place="?key")
    return found


def without_keys(headers: Pairs) -> list[tuple[bytes, bytes]]:
    """The headers without every one that holds a virtual key."""
    return [each for each in headers if not is_key(*each)]


def is_key(name: bytes, value: bytes) -> bool:
    """Whether a header holds a virtual key."""
    return name in HEADERS and _key(name, value) is not None


def query_without_keys(query: bytes) -> bytes:
    """The query without every virtual key; the rest as it came."""
    parts = query.split(b"&")
    kept = [part for part in parts if _query_key(part) is None]
    return query if len(kept) == len(parts) else b"&".join(kept)


def _key(name: bytes, value: bytes) -> bytes | None:
    value = value.strip()
    if name == OWN_HEADER:
        return value
    if name == b"authorization":  # some clients leave the scheme out
        value = value.partition(b" ")[2].lstrip() or value
    return value if value.startswith(_PREFIX) else None


def _query_key(part: bytes) -> bytes | None:
    name, _, value = part.partition(b"=")
    if unquote_to_bytes(name).lower() != _QUERY_NAME:
        return None
    value = unquote_to_bytes(value).strip()
    return value if value.startswith(_PREFIX) else None


def _text(value: bytes) -> str:
    return value[:_MAX_LENGTH].decode("utf-8", "replace")

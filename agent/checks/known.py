"""What checks have said already: by hash of the text, so that a history that is sent again and again is asked once.

Holds no text. Bounded: the least recently used entries go first.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b

from agent.checks.ports import Failure, Mark
from agent.model.content import Role, Where

ENTRIES = 4096
FRESH_SECONDS = 3600.0  # after which a service is asked again about a text that is new once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a check has said of a text, and why it did not say all."""

    marks: tuple[Mark, ...] = ()
    failure: Failure | None = None


class Memory:
    """What was said, by key. Time comes in, monotonic, in seconds."""

    def __init__(self, entries: int = ENTRIES) -> None:
        self._limit = entries
        self._entries: OrderedDict[bytes, tuple[float, Said]] = OrderedDict()

    def get(self, key: bytes, *, now: float, max_age: float | None = None) -> Said | None:
        """What was said under `key`, None where nothing was or it is older than `max_age` seconds."""
        found = self._entries.get(key)
        if found is None or (max_age is not None and now - found[0] > max_age):
            return None
        self._entries.move_to_end(key)
        return found[1]

    def put(self, key: bytes, said: Said, *, now: float) -> None:
        """Remember."""
        self._entries[key] = (now, said)
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)


def key_of(digest: bytes, where: Where, role: Role, text: str) -> bytes:
    """The key of a text under the configuration with that `digest`."""
    hashed = blake2b(digest_size=24, key=digest[:64])
    hashed.update(f"{where.value}\0{role.value}\0".encode())
    hashed.update(text.encode("utf-8", "surrogatepass"))
    return hashed.digest()

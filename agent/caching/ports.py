"""What the cache needs of others: a store of sealed records, and who turns texts into vectors."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

KEY_BYTES = 32
MOST_COMPARED = 5000
"""Records of one bucket that are compared by meaning; the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An entry as it is stored. `body` and `vector` are sealed; the rest tells nothing of what was asked.

    `key` names the question, `bucket` those that may be compared with it by meaning (empty: it is not compared).
    `owner` is the id of a virtual key, by which entries are cleared.
    """

    key: bytes
    body: bytes = field(repr=False)
    expires_at: float  # Unix seconds
    bucket: bytes = b""
    vector: bytes = field(default=b"", repr=False)
    owner: str = ""
    stored_at: float = 0.0

    @property
    def size(self) -> int:
        """What it takes, in bytes."""
        return len(self.body) + len(self.vector) + 2 * KEY_BYTES + len(self.owner)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """What a store holds. `size` is 0 where it cannot tell."""

    entries: int
    size: int = 0  # bytes
    expired: int = 0  # entries among them that are only waiting to be dropped
    oldest_at: float | None = None


class Store(Protocol):
    """Keeps records. Raises CacheError where it cannot; the cache then does without."""

    @property
    def shared(self) -> bool:
        """Whether others write to it: their entries are looked for now and then."""
        ...

    async def open(self) -> None:
        """Get ready. Safe to call once."""
        ...

    async def get(self, key: bytes) -> Record | None:
        """The record, unless it has expired."""
        ...

    async def put(self, record: Record) -> None:
        """Keep `record`, instead of one that may be there; drop others where there is no room."""
        ...

    async def drop(self, key: bytes) -> None:
        """Forget one record."""
        ...

    async def members(self, bucket: bytes) -> tuple[bytes, ...]:
        """Keys of the bucket's records, the oldest first, at most as many as are ever compared."""
        ...

    async def vectors(self, bucket: bytes, keys: Collection[bytes]) -> Mapping[bytes, bytes]:
        """The sealed vectors of those of `keys` that are still there."""
        ...

    async def clear(self, owner: str | None = None) -> int:
        """Forget all records, or those of one virtual key; how many."""
        ...

    async def stats(self) -> StoreStats:
        """What is there."""
        ...

    async def close(self) -> None:
        """Let go of everything. Safe to call twice."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors that point the same way where the texts mean the same."""

    @property
    def name(self) -> str:
        """Model and version: vectors of different names are never compared."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float] | None]:
        """One vector for each text, all of one length; None for a text it cannot take whole. Raises CacheError."""
        ...

    def close(self) -> None:
        """Let go of what it holds; no more is asked of it. Safe to call twice."""
        ...

"""The file that holds the fingerprints of documents: never a text, never a name.

One line of JSON (version, id, k, w, salt, a check of the key, a tag and a count for each document) and behind it, for
each document, its hashes: sorted, 64 bits each, little-endian. Owns this form and its limits.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import PolicyError
from agent.guardrails.fingerprints import FEWEST, SHINGLE, WINDOW, Index, Shingler

MAX_HASHES = 1_000_000
"""Of all documents of a file together: some 75 MB of source text, 12 MB of memory."""
MAX_BYTES = 16 * 1024 * 1024
MAX_DOCUMENTS = 100_000

_SALT_BYTES = 16
_COMMON = 4  # documents: what stands in more of them, and in more than a twentieth, is common property
_COMMON_SHARE = 20
_COMMON_MOST = (
    50  # or in more than that: a text full of it must not become a question about thousands of documents
)
_ITEM = 8

_Hex = Annotated[str, Field(pattern="^[0-9a-f]{16,64}$")]


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    format: Literal["drawbridge-fingerprints"]
    version: Literal[1]
    id: Annotated[str, Field(max_length=64)]
    k: Annotated[int, Field(ge=SHINGLE, le=SHINGLE)]
    w: Annotated[int, Field(ge=WINDOW, le=WINDOW)]
    salt: _Hex
    keyed: bool
    check: _Hex
    documents: Annotated[list[tuple[_Hex, Annotated[int, Field(ge=1)]]], Field(max_length=MAX_DOCUMENTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the documents: kept, or too short, or made of nothing that other documents lack."""

    documents: int
    hashes: int
    short: int
    common: int  # hashes left out because they stand in many documents


class FingerprintWriter:
    """Collects documents and writes their file."""

    def __init__(self, set_id: str, salt: bytes, secret: bytes = b"") -> None:
        """`salt` must be random, of 16 bytes, and new for every file."""
        if len(salt) != _SALT_BYTES:
            raise ValueError("the salt must have 16 bytes")
        self._id, self._salt, self._keyed = set_id, salt, bool(secret)
        self._shingler = Shingler(salt, secret)
        self._documents: dict[str, frozenset[int]] = {}
        self._public: set[int] = set()
        self._short = 0

    def add(self, name: str, text: str) -> None:
        """A document to recognise. Its name is kept as a keyed hash only."""
        hashes = self._hashes(text)
        if len(hashes) < FEWEST:
            self._short += 1
        else:
            self._documents[self._shingler.tag(name.encode("utf-8", "surrogatepass")).hex()] = hashes

    def leave_out(self, text: str) -> None:
        """A text that anybody may have, such as a licence: what documents share with it is not theirs."""
        self._public |= self._hashes(text)

    def written(self) -> tuple[bytes, Summary]:
        """The file. Raises PolicyError where there is nothing to write or too much."""
        counts = Counter(each for hashes in self._documents.values() for each in hashes)
        most = min(max(_COMMON, len(self._documents) // _COMMON_SHARE), _COMMON_MOST)
        common = {each for each, count in counts.items() if count > most} | (self._public & counts.keys())
        kept = {tag: hashes - common for tag, hashes in self._documents.items()}
        kept = {tag: hashes for tag, hashes in sorted(kept.items()) if len(hashes) >= FEWEST}
        total = sum(map(len, kept.values()))
        if not kept or total > MAX_HASHES or len(kept) > MAX_DOCUMENTS:
            raise PolicyError(
                f"{len(kept)} documents with {total} hashes cannot be one fingerprint file",
                hint=f"There must be at least one document of some forty words; at most {MAX_DOCUMENTS} documents "
                f"and {MAX_HASHES} hashes fit: make several files.",
            )
        header = _Header(
            format="drawbridge-fingerprints",
            version=1,
            id=self._id,
            k=SHINGLE,
            w=WINDOW,
            salt=self._salt.hex(),
            keyed=self._keyed,
            check=self._shingler.tag(b"check").hex(),
            documents=[(tag, len(hashes)) for tag, hashes in kept.items()],
        )
        body = b"".join(_packed(sorted(hashes)) for hashes in kept.values())
        summary = Summary(
            documents=len(kept),
            hashes=total,
            short=self._short + len(self._documents) - len(kept),
            common=len(common),
        )
        return header.model_dump_json().encode() + b"\n" + body, summary

    def _hashes(self, text: str) -> frozenset[int]:
        return frozenset(each.hash for each in self._shingler.selected(self._shingler.tokens(text)))


def read_index(
    data: bytes, *, name: str, secret: bytes = b"", min_match: float = 0.3, min_shingles: int = 12
) -> Index:
    """The documents of a fingerprint file, ready to be looked for. `name` is the file, for messages.

    Raises PolicyError where it is malformed, too large, or made with another key.
    """
    line, newline, body = data.partition(b"\n")
    try:
        header = _Header.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise PolicyError(
            f"{name}: not a fingerprint file of this version: {where or 'header'}: {first['msg']}",
            hint="Make it with `drawbridge fingerprint`.",
        ) from None
    total = sum(count for _, count in header.documents)
    if not newline or len(body) != total * _ITEM or total > MAX_HASHES:
        raise PolicyError(
            f"{name}: cut off or damaged: {total} hashes are announced, {len(body) // _ITEM} are there"
        )
    if header.keyed != bool(secret):
        needed = "needs the key that it was made with" if header.keyed else "was made without a key"
        raise PolicyError(f"{name}: the file {needed}", hint="See `key` of the detector.")
    shingler = Shingler(bytes.fromhex(header.salt), secret)
    if shingler.tag(b"check").hex() != header.check:
        raise PolicyError(f"{name}: the file was made with another key", hint="See `key` of the detector.")
    return Index(
        shingler,
        _unpacked(body, (count for _, count in header.documents)),
        min_match=min_match,
        min_shingles=min_shingles,
    )


def _packed(hashes: Sequence[int]) -> bytes:
    packed = array("Q", hashes)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpacked(body: bytes, counts: Iterable[int]) -> Iterable[Sequence[int]]:
    hashes = array("Q")
    hashes.frombytes(body)
    if sys.byteorder == "big":
        hashes.byteswap()
    at = 0
    for count in counts:
        yield hashes[at : at + count]
        at += count

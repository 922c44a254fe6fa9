"""Documents recognised by keyed hashes of their word sequences, so that nothing of them need be shipped.

A text becomes tokens (case folded, white space and punctuation dropped), every `k` tokens in a row a shingle, and of
every `w` shingles in a row the one with the smallest keyed hash is selected: robust winnowing (Schleimer, Wilkerson,
Aiken: "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003). Two texts that share w + k - 1 tokens
in a row share a selected shingle. A set of documents keeps 64 bits of keyed BLAKE2b (RFC 7693) of each.

Owns selecting and matching; the file is `fingerprint_file`'s. Pure: it reads neither files nor keys.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

SHINGLE = 8
"""k: tokens of a shingle."""
WINDOW = 16
"""w: of so many shingles in a row one is selected. A power of two."""
FEWEST = 4
"""A document with fewer selected shingles, some forty words, is too short to be recognised."""

_MODULUS = (1 << 31) - 1
_GAP = 3 * WINDOW  # tokens between two matches of one region
_HASH_BYTES = 8
_WORD_BYTES = 4
_KEY_BYTES = 32
_DOCUMENT_BITS = 20
# scripts written without spaces: every character is a token
_IDEOGRAPHIC = ((0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A selected shingle: its hash, and the place of its first token."""

    hash: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """`text[start:end]`, in characters, stands in a document; `score` is how much of the document is in the text."""

    start: int
    end: int
    score: float


class Shingler:
    """Selects shingles under one key. Texts are comparable only under the same key."""

    def __init__(self, salt: bytes, secret: bytes = b"") -> None:
        """`salt` stands in the fingerprint file; `secret`, where there is one, does not."""
        self._key = blake2b(secret, key=salt, person=b"db-fingerprints", digest_size=_KEY_BYTES).digest()
        self._shingles = blake2b(key=self._key, person=b"shingle", digest_size=_HASH_BYTES)
        self._base = int.from_bytes(self.tag(b"base", 8)) % (_MODULUS - 2) + 2
        self._separators = _Separators()

    def tag(self, name: bytes, size: int = _HASH_BYTES) -> bytes:
        """A keyed hash of a name: to tell keys apart, and to name documents without naming them."""
        return blake2b(name, key=self._key, person=b"tag", digest_size=size).digest()

    def tokens(self, text: str) -> list[str]:
        """The tokens of a text, in order."""
        return folded(text).translate(self._separators).split()

    def selected(self, tokens: Sequence[str]) -> list[Selected]:
        """The selected shingles of a text, in order. None where it has fewer tokens than a shingle."""
        return [
            Selected(hash=self._hashed(tokens, place), token=place)
            for place in _winnowed(self._rolling(tokens))
        ]

    def _hashed(self, tokens: Sequence[str], place: int) -> int:
        hashed = self._shingles.copy()
        hashed.update(" ".join(tokens[place : place + SHINGLE]).encode("utf-8", "surrogatepass"))
        return int.from_bytes(hashed.digest(), "little")

    def _rolling(self, tokens: Sequence[str]) -> list[int]:
        """A keyed hash of every shingle, good enough to choose by: a polynomial over hashes of the tokens."""
        if len(tokens) < SHINGLE:
            return []
        words = _Words(self._key)
        numbers = [words[token] for token in tokens]
        base, leaving = self._base, pow(self._base, SHINGLE, _MODULUS)
        value = 0
        for number in islice(numbers, SHINGLE):
            value = (value * base + number) % _MODULUS
        values = [value]
        for arriving, gone in zip(islice(numbers, SHINGLE, None), numbers, strict=False):
            value = (value * base + arriving - gone * leaving) % _MODULUS
            values.append(value)
        return values


class Index:
    """The documents of one fingerprint file, ready to be looked for. Immutable.

    A document is in a text where `min_match` of its shingles are, and at least `FEWEST`; or where `min_shingles` of
    them are in one place.
    """

    def __init__(
        self, shingler: Shingler, documents: Iterable[Sequence[int]], *, min_match: float, min_shingles: int
    ) -> None:
        self._shingler = shingler
        self._min_match = min_match
        self._min_shingles = min_shingles
        sizes: list[int] = []
        entries: list[
            int
        ] = []  # a hash and its document in one number: sorted at a third of the memory of pairs
        for document, hashes in enumerate(documents):
            sizes.append(len(hashes))
            entries.extend(each << _DOCUMENT_BITS | document for each in hashes)
        entries.sort()
        # arrays: a tenth of the memory that a dictionary takes, and as fast for the few thousand questions of a text
        self._hashes = array("Q", (entry >> _DOCUMENT_BITS for entry in entries))
        self._owners = array("I", (entry & (1 << _DOCUMENT_BITS) - 1 for entry in entries))
        self._sizes = sizes

    def regions(self, text: str) -> tuple[Region, ...]:
        """What of the documents is in `text`: disjoint regions, by position."""
        tokens = self._shingler.tokens(text)
        found: dict[int, list[Selected]] = {}
        for shingle in self._shingler.selected(tokens):
            for document in self._documents(shingle.hash):
                found.setdefault(document, []).append(shingle)
        stretches: list[tuple[int, int, float]] = []
        for document, shingles in found.items():
            score = len({shingle.hash for shingle in shingles}) / self._sizes[document]
            clusters = _clusters(shingles)
            distinct = max(len({shingle.hash for shingle in cluster}) for cluster in clusters)
            if distinct >= self._min_shingles or (
                score >= self._min_match and score * self._sizes[document] >= FEWEST
            ):
                stretches.extend(
                    (cluster[0].token, cluster[-1].token + SHINGLE, min(score, 1.0))
                    for cluster in clusters
                    if len(cluster) > 1
                )
        return _placed(folded(text), tokens, _united(stretches))

    def _documents(self, value: int) -> Iterable[int]:
        at = bisect_left(self._hashes, value)
        while at < len(self._hashes) and self._hashes[at] == value:
            yield self._owners[at]
            at += 1


def folded(text: str) -> str:
    """`text` without case, character by character, so that offsets stay."""
    fold = text.casefold()
    if len(fold) == len(text):
        return fold
    return "".join(each if len(each := char.casefold()) == 1 else char for char in text)


class _Separators(dict[int, str]):
    """For `str.translate`: what is no part of a word becomes a space. Filled as characters occur."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if any(low <= code <= high for low, high in _IDEOGRAPHIC):
            shown = f" {char} "
        else:
            shown = char if char.isalnum() or char == "_" else " "
        self[code] = shown
        return shown


class _Words(dict[str, int]):
    """Keyed hashes of the words of one text."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._start = blake2b(key=key, person=b"word", digest_size=_WORD_BYTES)

    def __missing__(self, word: str) -> int:
        hashed = self._start.copy()
        hashed.update(word.encode("utf-8", "surrogatepass"))
        value = int.from_bytes(hashed.digest(), "little") % _MODULUS
        self[word] = value
        return value


def _winnowed(values: list[int]) -> list[int]:
    """The places of the selected: of every window the smallest, the last of equals, unless it was selected already."""
    if not values:
        return []
    lows, reach = values, 1
    while reach < WINDOW:  # the smallest of twice as many each time
        lows = list(map(min, lows, lows[reach:])) or [min(lows)]
        reach *= 2
    places: list[int] = []
    last = -1
    for start, low in enumerate(lows):
        if last >= start and values[last] == low:
            continue
        last = min(start + WINDOW, len(values)) - 1
        while values[last] != low:
            last -= 1
        places.append(last)
    return places


def _clusters(shingles: list[Selected]) -> list[list[Selected]]:
    clusters = [[shingles[0]]]
    for shingle in shingles[1:]:
        if shingle.token - clusters[-1][-1].token <= _GAP:
            clusters[-1].append(shingle)
        else:
            clusters.append([shingle])
    return clusters


def _united(stretches: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Stretches of tokens without overlaps; a stretch that several documents share has the highest of their scores."""
    united: list[tuple[int, int, float]] = []
    for first, last, score in sorted(stretches):
        if united and first < united[-1][1]:
            before = united.pop()
            united.append((before[0], max(before[1], last), max(before[2], score)))
        else:
            united.append((first, last, score))
    return united


def _placed(text: str, tokens: list[str], stretches: list[tuple[int, int, float]]) -> tuple[Region, ...]:
    """Stretches of tokens as regions of the text. Between two tokens stand only separators: each is the next found."""
    regions: list[Region] = []
    at = token = 0
    for first, last, score in stretches:
        start = end = at
        for place in range(token, last):
            begin = text.find(tokens[place], at)
            at = begin + len(tokens[place])
            if place == first:
                start = begin
            end = at
        token = last
        regions.append(Region(start=start, end=end, score=score))
    return tuple(regions)

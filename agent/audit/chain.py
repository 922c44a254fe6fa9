"""The chain that ties audit events together: fingerprints, and the walk that finds what was done to them. Pure.

    fingerprint = SHA-256(previous fingerprint ‖ RFC 8785 canonical JSON of the event without its attestation)

What the walk finds: an event that was changed, removed, inserted, moved or renumbered; a tail that was cut off or
rewritten, up to where the head record stands. Events that retention dropped are told from removed ones by the
`audit.dropped` event in the chain, which names their range and its fingerprints.

What it cannot find: there is no key in the chain, so whoever may write the files can compute a new chain and a new
head record. Only a fingerprint that left the machine in time (an export, a note) proves more. The last second before
a crash may be newer than the head record. Events that were never recorded leave no trace.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

type Json = dict[str, Json] | list[Json] | str | int | bool | None
"""The JSON we emit. No floats: their canonical form is the one difficult part of RFC 8785, and integers do."""

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


class ProblemKind(StrEnum):
    """What was done to the chain."""

    CHANGED = "changed"
    REMOVED = "removed"
    REORDERED = "reordered"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """The first place where the chain does not hold. `seq` is the event's number, or the first missing one."""

    kind: ProblemKind
    seq: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An event as stored. `body` is the canonical JSON that was hashed."""

    seq: int
    previous: bytes
    fingerprint: bytes
    body: bytes
    index_agrees: bool = True  # what the store keeps beside the body, to search by, says the same as the body


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedRange:
    """Consecutive events that retention dropped: what stood before the first, and the last one's fingerprint."""

    first: int
    last: int
    previous: bytes
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest event, noted outside the store."""

    chain_uid: str
    seq: int
    fingerprint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The outcome of a walk: how many events hold, how many retention dropped, and what is wrong first."""

    events: int
    dropped: int
    last_seq: int
    problem: Problem | None


def canonical(document: Json) -> bytes:
    """RFC 8785 canonical JSON of a document whose keys are ASCII; floats are excluded by its type.

    Within these bounds sorted compact JSON is the canonical form: byte order of ASCII keys is UTF-16 order, and
    orjson escapes exactly what the RFC wants escaped. Raises TypeError for integers beyond 2^53 and for lone
    surrogates. A walk that proves the other bounds would cost more than all the rest; the tests prove them.
    """
    return orjson.dumps(document, option=_CANONICAL)


def genesis(chain_uid: str) -> bytes:
    """What stands before the first event of a chain, so that no event of one chain fits into another."""
    return hashlib.sha256(b"drawbridge audit chain 1\0" + chain_uid.encode()).digest()


def fingerprint(previous: bytes, body: bytes) -> bytes:
    """The fingerprint of an event whose canonical JSON is `body`."""
    return hashlib.sha256(previous + body).digest()


def verify(
    links: Iterable[Link], *, chain_uid: str, dropped: Iterable[DroppedRange] = (), head: Head | None = None
) -> Verdict:
    """Walk the chain from its first event. `links` come in the order of their numbers."""
    walk = _Walk(genesis(chain_uid), {each.first: each for each in dropped}, head)
    problem = None
    if head is not None and head.chain_uid != chain_uid:
        problem = Problem(
            kind=ProblemKind.TRUNCATED,
            seq=1,
            text="the head record belongs to another chain: the store was replaced",
        )
    for link in links if problem is None else ():
        problem = walk.step(link)
        if problem is not None:
            break
    else:
        problem = problem or walk.end()
    return Verdict(events=walk.events, dropped=walk.dropped, last_seq=walk.seq, problem=problem)


@dataclass(slots=True)
class _Walk:
    previous: bytes
    ranges: dict[int, DroppedRange]
    head: Head | None
    seq: int = 0
    events: int = 0
    dropped: int = 0
    seen: dict[int, bytes] = field(
        default_factory=dict
    )  # fingerprints at the ends of steps, near the head only

    def step(self, link: Link) -> Problem | None:
        """Go on by one event; what is wrong with it or before it."""
        number, notice = _own_facts(link.body)
        if number is not None and number != link.seq:
            text = f"the event at place {link.seq} was recorded as number {number}"
            return Problem(kind=ProblemKind.REORDERED, seq=link.seq, text=text)
        if (
            number is None
            or not link.index_agrees
            or fingerprint(link.previous, link.body) != link.fingerprint
        ):
            return Problem(
                kind=ProblemKind.CHANGED, seq=link.seq, text="the event does not match its fingerprint"
            )
        if (problem := self._skip_dropped(link.seq)) is not None:
            return problem
        if link.previous != self.previous:
            text = "the event before it is not the one that stood there"
            return Problem(kind=ProblemKind.CHANGED, seq=link.seq, text=text)
        self._advance(link.seq, link.fingerprint)
        self.events += 1
        if notice:
            return Problem(kind=ProblemKind.TRUNCATED, seq=link.seq, text=notice)
        return None

    def end(self) -> Problem | None:
        """After the last event: what the head record tells."""
        head = self.head
        if head is None:
            return None
        if (problem := self._skip_dropped(head.seq + 1)) is not None:
            kind, text = ProblemKind.TRUNCATED, f"events {problem.seq} to {head.seq} are missing at the end"
            return Problem(kind=kind, seq=problem.seq, text=text)
        if self.seen.get(head.seq, head.fingerprint) != head.fingerprint:
            text = "the event is not the one of the head record: the end of the chain was rewritten"
            return Problem(kind=ProblemKind.CHANGED, seq=head.seq, text=text)
        return None

    def _skip_dropped(self, until: int) -> Problem | None:
        """Pass the ranges that retention dropped before event `until`."""
        while self.seq + 1 < until:
            gap = self.ranges.get(self.seq + 1)
            if gap is None or gap.last >= until or gap.previous != self.previous:
                missing = self.seq + 1
                text = (
                    f"events {missing} to {until - 1} are missing" if missing < until - 1 else "it is missing"
                )
                return Problem(kind=ProblemKind.REMOVED, seq=missing, text=text)
            self.dropped += gap.last - gap.first + 1
            self._advance(gap.last, gap.fingerprint)
        return None

    def _advance(self, seq: int, mark: bytes) -> None:
        self.seq = seq
        self.previous = mark
        if self.head is not None and seq == self.head.seq:
            self.seen[seq] = mark


def _own_facts(body: bytes) -> tuple[int | None, str]:
    """The number an event was recorded with, and the finding it reports itself, if it is one of ours about a cut."""
    try:
        document = orjson.loads(body)
        number = document["metadata"]["sequence"]
        facts = document["unmapped"]["drawbridge"]
        return number, document["message"] if facts["kind"] == "audit.truncated" else ""
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None, ""

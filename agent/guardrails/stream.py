"""A text that arrives in pieces, scanned without letting any part of a match through before it is known as one.

What a search can find depends only on where it may begin. A place is decided once no match that begins there can
change any more: once the text from there on is no beginning of a match of any rule (see `closure`). Up to the first
undecided place everything is found that a scan of the whole text finds, and can be released, but for findings that
reach beyond it. `LEFT_CONTEXT` bytes of what was released are kept for word boundaries, keywords and validators.

A match longer than `Limits.max_hold` cannot wait for its end. Where the rule is satisfied already (a private key, a
token), it becomes an open finding whose end grows; where it is not, that beginning is given up, the only matches that
a stream may miss. Rules of which no closure can be derived hold back a fixed window: their greatest width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agent.guardrails.banks import Hold, UnderWay
from agent.guardrails.closure import is_token
from agent.guardrails.detector import Cursor, Detector, Span
from agent.guardrails.offsets import boundary, characters, encoded
from agent.guardrails.overlap import disjoint
from agent.guardrails.rule import KEYWORD_REACH
from agent.guardrails.ruleset import RuleSet
from agent.model.findings import Finding

LEFT_CONTEXT = 2 * KEYWORD_REACH
_SLACK = 1_024
_START = Cursor(0, 0)
_NEAR = 64
_GLANCED = 1_024  # bytes that are looked at, mostly in vain, after each piece
_SEVERAL = -1  # no rule's index
_PLACES = 64  # that are looked at one by one for one piece
_COMPILED = 4  # closures for one piece of a text, each in up to some milliseconds
_MAX_OPEN = 256 * 1024


@dataclass(slots=True, kw_only=True)
class _Open:
    """A match longer than the hold: where it begins, how far the text went at the last look, and how long it was when
    its end was last measured."""

    detector: Detector
    match_start: int
    seen: int
    measured: int


class _Holding(NamedTuple):
    """What held back the text at the last look: while `under_way` is true at `place`, and what stands from there on has
    at most `reach` bytes, nothing has changed (see `Hold`); unless the search for `rule`, if it was but one, has gone
    on behind that place."""

    place: int
    under_way: UnderWay
    reach: int
    rule: int = _SEVERAL


class StreamScanner:
    """Scans one text that arrives in pieces and says how much of it can no longer be part of a match.

    `cleared`: characters of the text that may be released with the findings applied; never decreases.
    `findings`: by position, disjoint, in characters of the whole text; each ends at or before `cleared`. Only the last
    one may still grow, and only while `growing`: then its end is `cleared`, and what is added to it is no new finding.
    """

    def __init__(self, rules: RuleSet) -> None:
        self._rules = rules
        self._findings: list[Finding] = []
        self._cleared = 0
        self._length = 0  # characters fed
        self._buffer = b""
        self._base = 0  # offset of the buffer in the text; this and all offsets below in bytes
        self._base_characters = 0
        self._counted = 0, 0  # a place and the characters before it
        self._frontier = 0  # matches that begin before it are decided
        self._cursors: dict[int, Cursor] = {}  # where a rule's search goes on, if not at the frontier
        self._pending: list[Span] = []  # decided, but they reach, or touch what reaches, behind the frontier
        self._published = 0  # end of the last finding
        self._spans = 0  # spans published, before overlaps were resolved
        self._open: _Open | None = None
        self._holding: _Holding | None = None
        self._flooded = False  # the last finding takes all the rest

    @property
    def cleared(self) -> int:
        """How many characters may be released."""
        return self._cleared

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found in the cleared text."""
        return self._findings

    @property
    def growing(self) -> bool:
        """Whether the last finding's end may still move."""
        return self._open is not None or self._flooded

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self._length += len(text)
        if self._flooded:
            self._extend(self._length)
            return
        self._buffer += encoded(text)
        self._advance(final=False)

    def finish(self) -> None:
        """The text has ended: everything is decided, and cleared."""
        if not self._flooded:
            self._advance(final=True)
        self._flooded = False
        self._buffer = b""
        self._cleared = self._length

    @property
    def holding(self) -> bool:
        """Whether some of the text is held back."""
        return self._cleared < self._length

    def rest(self) -> None:
        """No text has come for a while: what is held is cleared up to the first match that is under way in earnest.

        The price of it: a match that had hardly begun is not found in what comes next.
        """
        if self._flooded or self._open is not None or not self._buffer:
            return
        start = self._frontier - self._base
        place = min(self._earnest(start), self._rules.window(self._buffer, start))
        self._pass(self._base + place)

    def _earnest(self, start: int) -> int:
        """The first place of the buffer from `start` on where a match is under way in earnest, or its end."""
        buffer = self._buffer
        hold = self._rules.hold(buffer, start)
        for _ in range(_PLACES):
            at = hold.place
            if at == len(buffer):
                break
            for detector in self._rules.begun(buffer, at):
                if not detector.earnest(buffer, at) or self._cursor(detector.index).at - self._base > at:
                    continue
                if detector.exact is not None and detector.exact.match(buffer, at) is not None:
                    return at
            hold = self._rules.hold(buffer, at + 1)
        return hold.place

    @property
    def _end(self) -> int:
        return self._base + len(self._buffer)

    def _advance(self, *, final: bool) -> None:
        place: int | None = None
        while place is None:
            if self._flooded or (self._open is not None and not self._ended(self._open, final=final)):
                return
            place = self._end + 1 if final else self._hold()
        self._pass(place)

    def _pass(self, place: int) -> None:
        """No match that begins before `place` can change any more."""
        if place > self._frontier:
            self._decide(place)
            self._settle()
            self._forget()

    def _hold(self) -> int | None:
        """Where the first match may be under way. None where one was too long to wait for and was told: look again."""
        buffer, start = self._buffer, self._frontier - self._base
        most = self._rules.limits.max_hold
        near = min(_NEAR, most)
        if len(buffer) - start <= near and is_token(buffer[start:]):
            self._holding = None  # held back whatever the rules say
            return self._frontier
        if self._still(start):
            return self._frontier
        self._holding = None
        hold = self._rules.hold(buffer, start)
        if len(buffer) - hold.place <= near:
            return self._base + self._near(hold, near)
        place, outgrown = len(buffer), False
        for detector, at in self._begun(hold, near=near):
            if len(buffer) - at <= most:
                place = at
                if detector is not None and detector.exact_made and detector.exact is not None:
                    self._holding = _Holding(self._base + at, detector.exact.match, most, detector.index)
                break
            outgrown = True
            if detector is not None and self._told(detector, at):
                return None
        if outgrown:
            self._holding = None
            place = boundary(buffer, len(buffer) - most)
        return self._base + min(place, self._rules.window(buffer, start))

    def _still(self, start: int) -> bool:
        """Whether the match that was under way at the last look still is: then nothing is decided by what has come."""
        held = self._holding
        return (
            held is not None
            and held.place == self._frontier >= self._cursor(held.rule).at
            and len(self._buffer) - start <= held.reach
            and bool(held.under_way(self._buffer, start))
        )

    def _near(self, hold: Hold, near: int) -> int:
        """The place of `hold`, at most `near` bytes before the end: not asked any closer. A mere word is over soon, and
        known when it is not."""
        if hold.under_way is not None and not self._buffer[hold.place :].isalnum():
            self._holding = _Holding(self._base + hold.place, hold.under_way, near)
        return hold.place

    def _begun(self, hold: Hold, *, near: int) -> Iterator[tuple[Detector | None, int]]:
        """The matches that are under way, exactly, by place: the rule, and from where in the buffer.

        Of the last `near` bytes it is not asked which rules they are: there the place stands alone, and is the last.
        Each place is left behind once in the life of a stream, so what is asked grows with the text, not with the
        number of pieces. Exact closures are compiled when first asked for, a few at a time, so that no piece waits
        for some hundreds: until then a rule's match may have begun.
        """
        buffer, most = self._buffer, self._rules.limits.max_hold
        room, known = _COMPILED, set[int]()
        for _ in range(_PLACES):
            at = hold.place
            if len(buffer) - at <= near:
                yield None, self._near(hold, near)
                return
            for detector in self._rules.begun(buffer, at):
                if detector.index in known or self._cursor(detector.index).at - self._base > at:
                    continue
                if not detector.exact_made and len(buffer) - at <= most:
                    room -= 1
                if room < 0 or (detector.exact is not None and detector.exact.match(buffer, at) is not None):
                    known.add(detector.index)
                    yield detector, at
            hold = self._rules.hold(buffer, at + 1)
        yield from self._searched(hold.place, known)

    def _searched(self, start: int, known: set[int]) -> list[tuple[Detector, int]]:
        """The same from `start` on without the rules `known`, one place for each: for much text that came at once."""
        buffer = self._buffer
        begun: list[tuple[Detector, int]] = []
        for detector in self._rules.under_way(buffer[max(0, start - 1) :]):
            at = max(start, self._cursor(detector.index).at - self._base)
            if detector.index in known or detector.exact is None:
                continue
            match = detector.exact.search(buffer, at)
            if match is not None and match.start() < len(buffer):
                begun.append((detector, match.start()))
        begun.sort(key=lambda entry: entry[1])
        return begun

    def _told(self, detector: Detector, at: int) -> bool:
        """Tell the match of that rule at `at` of the buffer if it is a finding already; else it is given up."""
        match = detector.match_at(self._buffer, at)
        span = detector.judge(match, self._buffer) if match is not None else None
        if span is None or self._base + span.end <= self._published:
            return False
        self._tell(detector, self._base + at, span)
        return True

    def _tell(self, detector: Detector, match_start: int, span: Span) -> None:
        """Publish a match whose end is still to come, and before it what was found before it."""
        start, end = max(self._base + span.start, self._published), self._base + span.end
        self._decide(match_start)
        before = [each._replace(end=min(each.end, start)) for each in self._pending if each.start < start]
        self._pending = [each for each in self._pending if each.end > start]
        for spans in (before, [Span(start, end, span.detector)]):
            if not self._flooded:
                self._publish(spans)
        if self._flooded:
            return
        self._clear(self._published)
        if self._end - end > self._rules.limits.max_hold:
            self._cursors[detector.index] = Cursor(end, 0)
        else:
            length = self._end - match_start
            self._open = _Open(detector=detector, match_start=match_start, seen=self._end, measured=length)

    def _ended(self, match: _Open, *, final: bool) -> bool:
        """Look after the open finding: take what it has grown by, or close it and tell so.

        As long as the match is under way all of the text is taken; whether the match has really grown is measured
        only when the text has doubled, for that takes much longer.
        """
        length, most = self._end - match.match_start, self._rules.limits.max_hold
        behind = self._end - self._published > most
        if not final and not behind and self._end - match.seen < min(length // 16, most):
            return False
        match.seen = self._end
        at, closure = match.match_start - self._base, match.detector.exact
        under_way = not final and closure is not None and closure.match(self._buffer, at) is not None
        if not under_way or behind or length > 2 * match.measured:
            match.measured = length
            end = self._measured(match.detector, at)
            if not under_way or self._end - end > most:
                self._open = None
                self._take(max(end, self._published))
                self._cursors[match.detector.index] = Cursor(self._published, 0)
                return True
        self._take(self._end)
        if length > _MAX_OPEN:
            self._flood()
        return False

    def _measured(self, detector: Detector, at: int) -> int:
        """Where the finding by the match that begins at `at` of the buffer ends in the text; 0 where there is none."""
        match = detector.match_at(self._buffer, at)
        span = detector.judge(match, self._buffer) if match is not None else None
        return self._base + span.end if span is not None else 0

    def _take(self, end: int) -> None:
        """Let the last finding, and what is cleared, reach to `end`."""
        self._published = end
        self._extend(self._characters(end))

    def _decide(self, place: int) -> None:
        """Find what matches that begin before `place` find."""
        start, stop = self._frontier - self._base, place - self._base
        seen = self._buffer[max(0, start - KEYWORD_REACH) :]
        asked = self._rules.glanced(seen) if len(seen) <= _GLANCED else self._rules.candidates(seen)
        for detector in asked:
            cursor = self._cursor(detector.index).moved(-self._base)
            if cursor.at >= stop:
                continue
            found, cursor = detector.spans(
                self._buffer, cursor._replace(at=max(start, cursor.at)), stop, self._rules.most(detector)
            )
            self._pending.extend(
                Span(span.start + self._base, span.end + self._base, span.detector) for span in found
            )
            if max(cursor) > stop:
                self._cursors[detector.index] = cursor.moved(self._base)
        self._frontier = min(place, self._end)

    def _settle(self) -> None:
        """Publish the findings that nothing undecided can touch, and clear the text up to there."""
        cut = self._frontier
        if not self._pending:
            self._clear(max(cut, self._published))
            return
        self._pending.sort()
        for span in reversed(self._pending):
            if span.start < cut < span.end:
                cut = span.start
        if self._end - cut > self._rules.limits.max_hold:
            cut = self._frontier
        ready = [span for span in self._pending if span.start < cut]
        if ready:
            self._pending = self._pending[len(ready) :]
            self._publish(ready)
        if not self._flooded:
            self._clear(max(cut, self._published))

    def _publish(self, spans: list[Span]) -> None:
        """Make findings of `spans`, which are sorted; beyond the limit, of all the rest of the text."""
        room = self._rules.limits.max_findings - self._spans
        counted = self._rules.counted(spans)
        self._spans += len(counted)
        limit = counted[room].start if len(counted) > room else self._end
        kept = [
            Span(max(span.start, self._published), min(span.end, limit), span.detector)
            for span in spans
            if span.start < limit and span.end > self._published
        ]
        for span in disjoint(kept, self._rules.tiers):
            start, end = self._characters(span.start), self._characters(span.end)
            self._findings.append(self._rules.finding(start, end, span.detector))
            self._published = span.end
        if len(counted) > room:
            start = self._characters(max(limit, self._published))
            self._findings.append(self._rules.finding(start, self._length, self._rules.rest))
            self._flood()

    def _flood(self) -> None:
        self._flooded = True
        self._open = None
        self._buffer = b""
        self._extend(self._length)

    def _extend(self, end: int) -> None:
        last = self._findings[-1]
        self._findings[-1] = Finding(
            start=last.start, end=end, family=last.family, type=last.type, rule=last.rule
        )
        self._cleared = end

    def _clear(self, place: int) -> None:
        self._cleared = max(self._cleared, self._characters(place))

    def _characters(self, place: int) -> int:
        """How many characters of the text stand before `place`; counted from the last place that was asked for."""
        known, before = self._counted
        if known > place or known < self._base:
            known, before = self._base, self._base_characters
        before += characters(self._buffer[known - self._base : place - self._base])
        self._counted = place, before
        return before

    def _forget(self) -> None:
        """Drop what was released, but for the left context."""
        if self._frontier - self._base < _SLACK:
            return
        needed = min([self._frontier, *(span.start for span in self._pending)])
        drop = boundary(self._buffer, needed - LEFT_CONTEXT - self._base)
        if drop < _SLACK // 2:
            return
        self._base_characters += characters(self._buffer[:drop])
        self._base += drop
        self._buffer = self._buffer[drop:]
        self._cursors = {
            rule: cursor for rule, cursor in self._cursors.items() if max(cursor) > self._frontier
        }

    def _cursor(self, detector: int) -> Cursor:
        return self._cursors.get(detector, _START)

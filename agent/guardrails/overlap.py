"""Overlapping spans made disjoint, without uncovering anything.

Precedence: the higher rank of the rule; then the order of `FAMILY_ORDER`; then the
longer span; then the rule that stands first; then the span that does. The loser keeps what the winner leaves
uncovered, so that every byte some rule found stays inside a finding; a loser that is covered entirely is gone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from agent.guardrails.detector import Span
from agent.guardrails.rule import Rule
from agent.model.findings import Family, Finding

FAMILY_ORDER = (
    Family.SECRET,
    Family.CUSTOM,
    Family.PII,
    Family.LABEL,
    Family.INJECTION,
    Family.CHECK,
)
"""Of overlapping findings of one rank the earlier family wins."""


def tiers(rules: Sequence[Rule]) -> tuple[tuple[int, int], ...]:
    """For each rule what decides before length does; the smaller wins."""
    return tuple((-rule.rank, FAMILY_ORDER.index(rule.family)) for rule in rules)


def disjoint(spans: Iterable[Span], tier: Sequence[tuple[int, int]]) -> list[Span]:
    """`spans` without overlaps, in the order of their starts. Takes n log n steps for n spans."""
    coverage = _Coverage()
    kept: list[Span] = []
    for span in sorted(spans, key=lambda s: (tier[s.detector], s.start - s.end, s.detector, s.start)):
        kept.extend(Span(start, end, span.detector) for start, end in coverage.take(span.start, span.end))
    kept.sort()
    return kept


def joined(findings: Sequence[Finding], rank: Callable[[Finding], int]) -> tuple[Finding, ...]:
    """Findings of several detectors without overlaps, by position; `rank` is the rank of a finding's rule."""
    tier = [(-rank(finding), FAMILY_ORDER.index(finding.family)) for finding in findings]
    spans = [Span(finding.start, finding.end, place) for place, finding in enumerate(findings)]
    return tuple(
        replace(findings[span.detector], start=span.start, end=span.end) for span in disjoint(spans, tier)
    )


class _Coverage:
    """The union of the intervals taken so far: disjoint, not touching, sorted."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, start: int, end: int) -> list[tuple[int, int]]:
        """Add `[start, end)` and return the parts of it that were not covered yet."""
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        free: list[tuple[int, int]] = []
        at = start
        for place in range(first, last):
            if at < self._starts[place]:
                free.append((at, self._starts[place]))
            at = max(at, self._ends[place])
        if at < end:
            free.append((at, end))
        if first < last:
            start, end = min(start, self._starts[first]), max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]
        return free

"""What a scan found of what was to be found: the counting rules, written down once.

**A hit** is a labelled span that at least one finding of its family overlaps, by one character or more: a redaction
that begins a character early is none the worse. **A false alarm** is a finding of a measured family that overlaps no
labelled span of that family. Several findings in one span are one hit and no false alarm. So

    recall = hits / labelled spans        precision = hits / (hits + false alarms)

over positives and hard negatives; benign rows and evasions are counted apart. Three stricter figures stand beside
them: `typed`, the share of hits of which a finding names the very type; `covered`, the share of labelled spans of
which findings cover every character (what a redaction leaves legible fails it); and the text level, on which a row
counts once, found or not. Injection is judged on the text level: where an instruction begins and ends is anybody's
guess.

A row is measured for its own family and those of its spans only: the address in a connection string is no false alarm
of a set about secrets. Rows without a family are negatives for every family.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from agent.inspection.evaluation.rows import Gold, Kind, Row
from agent.model.findings import Family, Finding

ALWAYS_BY_TEXT = frozenset({Family.INJECTION})
"""The families whose headline is on the text level."""

_AROUND = 60  # characters of context beside a mistake


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


@dataclass(slots=True, kw_only=True)
class Part:
    """Counts of spans: of a family, of one type, in one context."""

    gold: int = 0
    hits: int = 0
    typed: int = 0
    covered: int = 0
    false: int = 0

    @property
    def recall(self) -> float | None:
        """Share of labelled spans that were found; None where there are none."""
        return _ratio(self.hits, self.gold)

    @property
    def precision(self) -> float | None:
        """Share of what was found that was right; None where nothing was found."""
        return _ratio(self.hits, self.hits + self.false)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both; 0 where nothing right was found, None where nothing was to be found."""
        return _ratio(2 * self.hits, self.gold + self.hits + self.false) if self.gold else None


@dataclass(slots=True, kw_only=True)
class FamilyScore:
    """Everything counted for one family. Rates are shares from 0 to 1; None where there was nothing to count."""

    rows: int = 0  # positives and hard negatives
    spans: Part = field(default_factory=Part)
    texts: Part = field(default_factory=Part)  # the same, each row counted once
    by_text: bool = False
    negatives: int = 0
    alarmed: int = 0  # hard negatives with any finding of the family
    benign: int = 0
    benign_alarmed: int = 0
    benign_findings: int = 0
    evasions: Part = field(default_factory=Part)
    types: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    contexts: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    variants: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    evasion_contexts: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    false_rules: Counter[str] = field(default_factory=Counter)

    @property
    def headline(self) -> Part:
        """The counts by which the family is judged."""
        return self.texts if self.by_text else self.spans

    def metric(self, name: str) -> float | None:
        """A figure by its name, see METRICS. Raises KeyError."""
        return METRICS[name](self)


METRICS: Mapping[str, Callable[[FamilyScore], float | None]] = {
    "precision": lambda score: score.headline.precision,
    "recall": lambda score: score.headline.recall,
    "f1": lambda score: score.headline.f1,
    "typed": lambda score: _ratio(score.spans.typed, score.spans.hits),
    "covered": lambda score: _ratio(score.spans.covered, score.spans.gold),
    "false_alarms": lambda score: _ratio(score.alarmed, score.negatives),
    "benign": lambda score: _ratio(1000 * score.benign_findings, score.benign),
    "evasion": lambda score: _ratio(score.evasions.hits, score.evasions.gold),
}
"""`false_alarms` is the share of hard negatives with any finding, `benign` counts findings per 1,000 benign rows,
`evasion` is the recall on evasions."""


class Fault(StrEnum):
    """What was wrong."""

    MISSED = "missed"
    PARTLY = "left partly legible"  # found, but no finding covers all of it
    FALSE = "false alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One span that was missed, or one finding that was wrong, with some of the text around it."""

    fault: Fault

    place: str
    row: str
    kind: Kind
    family: Family
    type: str
    context: str
    rule: str  # which found it; empty where none did
    before: str
    value: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome: scores by family, in the order of `Family`, and every mistake in the order of the rows."""

    rows: int
    families: Mapping[Family, FamilyScore]
    mistakes: tuple[Mistake, ...]


class Scoring:
    """Collects rows and what was found in them. `families` are those that the policy looks for."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._scores = {
            family: FamilyScore(by_text=family in ALWAYS_BY_TEXT)
            for family in Family
            if family in set(families)
        }
        self._mistakes: list[Mistake] = []
        self._rows = 0

    def add(self, row: Row, findings: Sequence[Finding]) -> None:
        """Count one row. Families that the policy does not look for are not counted."""
        self._rows += 1
        for family, score in self._scores.items():
            gold = [span for span in row.gold if span.family is family]
            if gold or row.family in (None, family):
                self._count(row, score, gold, [found for found in findings if found.family is family])

    def report(self) -> Report:
        """The figures for everything added so far."""
        return Report(
            rows=self._rows,
            families={family: score for family, score in self._scores.items() if score.rows or score.benign},
            mistakes=tuple(self._mistakes),
        )

    def _count(self, row: Row, score: FamilyScore, gold: list[Gold], found: list[Finding]) -> None:
        if row.kind is Kind.EVASION:
            self._spans(row, gold, found, (score.evasions, score.evasion_contexts[row.context]), score)
            return
        if row.kind is Kind.BENIGN:
            score.benign += 1
            score.benign_alarmed += bool(found)
            score.benign_findings += len(found)
        else:
            score.rows += 1
            self._text(score.texts, gold, found)
            if not gold:
                score.negatives += 1
                score.alarmed += bool(found)
        parts: tuple[Part, ...] = (
            (score.spans, score.contexts[row.context]) if row.kind is not Kind.BENIGN else ()
        )
        if row.variant and parts:
            parts = (*parts, score.variants[row.variant])
        self._spans(row, gold, found, parts, score)

    def _text(self, part: Part, gold: list[Gold], found: list[Finding]) -> None:
        part.gold += bool(gold)
        part.hits += bool(gold and found)
        part.false += bool(found and not gold)

    def _spans(
        self, row: Row, gold: list[Gold], found: list[Finding], parts: tuple[Part, ...], score: FamilyScore
    ) -> None:
        headline = row.kind is not Kind.EVASION and row.kind is not Kind.BENIGN
        for span in gold:
            over = [each for each in found if each.start < span.end and each.end > span.start]
            here = (*parts, score.types[span.type]) if headline else parts
            for part in here:
                part.gold += 1
                part.hits += bool(over)
                part.typed += any(each.type == span.type for each in over)
                part.covered += _covered(span, over)
            if not over:
                self._mistakes.append(_mistake(row, span, Fault.MISSED))
            elif not score.by_text and not _covered(span, over):
                self._mistakes.append(_mistake(row, span, Fault.PARTLY, over[0].rule))
        for each in found:
            if any(each.start < span.end and each.end > span.start for span in gold):
                continue
            for part in (*parts, score.types[each.type]) if headline else parts:
                part.false += 1
            score.false_rules[each.rule] += 1
            self._mistakes.append(_mistake(row, each, Fault.FALSE, each.rule))


def _covered(span: Gold, over: Iterable[Finding]) -> bool:
    """Whether findings, which are disjoint and sorted, leave no character of the span open."""
    at = span.start
    for each in over:
        if each.start > at:
            return False
        at = each.end
    return at >= span.end


def _mistake(row: Row, where: Gold | Finding, fault: Fault, rule: str = "") -> Mistake:
    return Mistake(
        fault=fault,
        place=row.place,
        row=row.id,
        kind=row.kind,
        family=where.family,
        type=where.type,
        context=row.context,
        rule=rule,
        before=row.text[max(0, where.start - _AROUND) : where.start],
        value=row.text[where.start : where.end],
        after=row.text[where.end : where.end + _AROUND],
    )

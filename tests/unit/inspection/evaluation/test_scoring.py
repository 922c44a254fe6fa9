"""The counting rules."""

from __future__ import annotations

from dataclasses import replace

from agent.inspection.evaluation import FamilyScore, Fault, Gold, Kind, Row, Scoring
from agent.model.findings import Family, Finding


def row(*spans: tuple[int, int], kind: Kind | None = None, family: Family | None = Family.SECRET) -> Row:
    gold = tuple(
        Gold(start=start, end=end, family=family or Family.SECRET, type="key") for start, end in spans
    )
    return Row(
        id="r",
        text="0123456789" * 2,
        kind=kind or (Kind.POSITIVE if spans else Kind.HARD_NEGATIVE),
        family=family,
        gold=gold,
        context="log",
    )


def found(start: int, end: int, *, family: Family = Family.SECRET, kind: str = "key") -> Finding:
    return Finding(start=start, end=end, family=family, type=kind, rule=f"rule-{kind}")


def score(*pairs: tuple[Row, list[Finding]], family: Family = Family.SECRET) -> FamilyScore:
    scoring = Scoring(Family)
    for each, findings in pairs:
        scoring.add(each, findings)
    return scoring.report().families[family]


def test_an_overlap_of_one_character_is_a_hit_and_no_false_alarm() -> None:
    spans = score((row((4, 8)), [found(7, 12)])).spans
    assert (spans.gold, spans.hits, spans.false) == (1, 1, 0)


def test_touching_is_no_overlap() -> None:
    spans = score((row((4, 8)), [found(8, 12)])).spans
    assert (spans.hits, spans.false) == (0, 1)


def test_several_findings_in_one_span_are_one_hit() -> None:
    spans = score((row((0, 10)), [found(0, 3), found(5, 10)])).spans
    assert (spans.hits, spans.false, spans.covered) == (1, 0, 0)


def test_covered_asks_for_every_character() -> None:
    assert score((row((2, 10)), [found(0, 5), found(5, 11)])).spans.covered == 1


def test_a_finding_of_another_family_counts_for_nothing() -> None:
    spans = score((row((0, 5)), [found(0, 5, family=Family.PII)])).spans
    assert (spans.hits, spans.false) == (0, 0)


def test_a_hit_of_another_type_is_a_hit_but_not_typed() -> None:
    result = score((row((0, 5)), [found(0, 5, kind="generic")]))
    assert (result.spans.hits, result.metric("typed")) == (1, 0.0)


def test_precision_recall_and_f1_over_positives_and_hard_negatives() -> None:
    result = score(
        (row((0, 5)), [found(0, 5)]),
        (row((0, 5)), []),
        (row((0, 5), (8, 9)), [found(0, 5), found(15, 16)]),
        (row(), [found(0, 1)]),
    )
    assert result.spans.precision == 2 / 4
    assert result.spans.recall == 2 / 4
    assert result.spans.f1 == 0.5
    assert result.metric("false_alarms") == 1.0


def test_benign_rows_count_for_every_family_and_only_as_benign() -> None:
    result = score((row(kind=Kind.BENIGN, family=None), [found(0, 1), found(4, 5)]))
    assert (result.rows, result.spans.false, result.negatives) == (0, 0, 0)
    assert (result.benign, result.benign_alarmed, result.metric("benign")) == (1, 1, 2000.0)


def test_evasions_are_counted_apart() -> None:
    result = score((row((0, 5), kind=Kind.EVASION), []), (row((0, 5)), [found(0, 5)]))
    assert result.metric("recall") == 1.0
    assert result.metric("evasion") == 0.0
    assert result.evasion_contexts["log"].gold == 1


def test_contexts_types_and_variants_are_counted_of_the_headline_only() -> None:
    positive = replace(row((0, 5)), variant="short")
    evasion = replace(row((0, 5), kind=Kind.EVASION), variant="short")
    result = score((positive, [found(0, 5)]), (evasion, []))
    for parts, name in ((result.contexts, "log"), (result.types, "key"), (result.variants, "short")):
        assert (parts[name].gold, parts[name].hits) == (1, 1)


def test_injection_is_judged_by_rows() -> None:
    positive, negative = row((3, 9), family=Family.INJECTION), row(family=Family.INJECTION)
    alarm = [found(12, 14, family=Family.INJECTION), found(15, 16, family=Family.INJECTION)]
    result = score((positive, alarm), (negative, alarm), family=Family.INJECTION)
    assert (result.metric("recall"), result.metric("precision")) == (1.0, 0.5)
    assert (result.spans.hits, result.spans.false) == (0, 4)


def test_what_was_not_measured_has_no_figure() -> None:
    result = score((row(kind=Kind.BENIGN, family=None), []))
    assert (result.metric("f1"), result.metric("false_alarms"), result.metric("benign")) == (None, None, 0.0)


def test_families_that_no_row_is_about_are_not_reported() -> None:
    scoring = Scoring((Family.SECRET, Family.PII))
    scoring.add(row((0, 5)), [])
    assert list(scoring.report().families) == [Family.SECRET]


def test_mistakes_tell_what_was_missed_and_what_was_wrong_with_the_text_around() -> None:
    scoring = Scoring(Family)
    scoring.add(row((4, 8)), [found(10, 12, kind="odd")])
    missed, wrong = scoring.report().mistakes
    assert (missed.fault, wrong.fault) == (Fault.MISSED, Fault.FALSE)
    assert (missed.rule, missed.value, missed.before) == ("", "4567", "0123")
    assert (wrong.rule, wrong.value, wrong.type) == ("rule-odd", "01", "odd")


def test_what_is_found_in_part_is_a_hit_and_a_mistake() -> None:
    scoring = Scoring(Family)
    scoring.add(row((4, 8)), [found(4, 7)])
    report = scoring.report()
    assert report.families[Family.SECRET].spans.hits == 1
    assert [(each.fault, each.rule) for each in report.mistakes] == [(Fault.PARTLY, "rule-key")]

"""Whole texts: offsets, order, bounds, and the rule set as a value."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import PolicyError
from agent.guardrails import LIMIT_RULE, LIMIT_TYPE, Limits, Rule, Scanner, keyword_rule
from agent.model.findings import Family, Finding
from tests.unit.guardrails.harmless import NEUTRAL
from tests.unit.guardrails.samples import Sample, samples

SAMPLES = samples(11)


def rule(rule_id: str, pattern: str, family: Family = Family.CUSTOM) -> Rule:
    return Rule(id=rule_id, family=family, type=rule_id, pattern=pattern)


def test_offsets_count_characters() -> None:
    text = "🚀é漢 \ud83d falcon ü falcon"
    findings = Scanner((keyword_rule("w", ("falcon",)),)).scan(text)
    assert [text[finding.start : finding.end] for finding in findings] == ["falcon", "falcon"]


def test_findings_are_in_order_and_disjoint(rules: tuple[Rule, ...]) -> None:
    text = "\n".join(each.text for each in SAMPLES)
    findings = Scanner(rules, limits=Limits(max_findings=10 * len(SAMPLES))).scan(text)
    assert len(findings) >= len(SAMPLES) - 12  # an order in a comment reaches over its neighbours
    assert all(left.end <= right.start for left, right in pairwise(findings))


def test_a_finding_names_rule_type_and_family() -> None:
    assert Scanner((rule("r", "b+", Family.PII),)).scan("abba") == (
        Finding(start=1, end=3, family=Family.PII, type="r", rule="r"),
    )


def test_nothing_is_found_in_nothing(scanner: Scanner) -> None:
    assert scanner.scan("") == ()
    assert Scanner(()).scan("anything") == ()


def test_beyond_the_limit_the_rest_of_the_text_is_one_finding() -> None:
    scanner = Scanner((rule("r", r"\d+", Family.PII),), limits=Limits(max_findings=3))
    assert [finding.rule for finding in scanner.scan("1 2 3 tail")] == ["r", "r", "r"]
    *told, last = scanner.scan("1 2 3 4 tail")
    assert [finding.rule for finding in told] == ["r", "r", "r"]
    assert last == Finding(start=6, end=12, family=Family.PII, type=LIMIT_TYPE, rule=LIMIT_RULE)


def test_the_limits_finding_has_the_gravest_family_of_the_rules() -> None:
    rules = (rule("r", r"\d+", Family.PII), rule("s", "x+", Family.SECRET))
    assert Scanner(rules, limits=Limits(max_findings=1)).scan("1 2 3")[-1].family is Family.SECRET


def test_the_digest_names_rules_and_limits() -> None:
    one = Scanner((rule("r", "a"),))
    assert one.digest == Scanner((rule("r", "a"),)).digest
    assert one.digest != Scanner((rule("r", "b"),)).digest
    assert one.digest != Scanner((rule("r", "a"),), limits=Limits(max_findings=5)).digest


@pytest.mark.parametrize("second", ["r", LIMIT_RULE])
def test_an_id_can_be_taken_once(second: str) -> None:
    with pytest.raises(PolicyError, match=second):
        Scanner((rule("r", "a"), rule(second, "b")))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "QUJDREVG+/" * 20_000,
        "key=" * 50_000,
        "password:" * 20_000,
        ("-----BEGIN RSA PRIVATE " + "KEY-----\n") * 1_500,
        "curl -u " * 25_000,
        "415-867-1234-" * 15_000,
        "![x](http://a?" * 14_000,
        "eyJ" * 60_000,
        "://" * 60_000,
    ],
    ids=lambda text: text[:12],
)
def test_pathological_texts_need_few_searches(
    scanner: Scanner, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches = 0
    for detector in scanner._rules.detectors:
        original = detector._regexp

        class Counting:
            def __init__(self, regexp: object) -> None:
                self._regexp = regexp

            def search(self, data: bytes, at: int, horizon: int | None = None) -> object:
                nonlocal searches
                searches += 1
                return self._regexp.search(data, at, horizon)  # type: ignore[attr-defined]

            def __getattr__(self, name: str) -> object:
                return getattr(self._regexp, name)

        monkeypatch.setattr(detector, "_regexp", Counting(original))
    findings = scanner.scan(text)
    assert len(findings) <= 1_001
    assert searches <= 20


def test_many_hits_are_bounded(scanner: Scanner) -> None:
    findings = scanner.scan("".join(f"user{place}@corp{place}.com " for place in range(3_000)))
    assert len(findings) == 1_001
    assert findings[-1].rule == LIMIT_RULE


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(SAMPLES), st.sampled_from(NEUTRAL)), min_size=1, max_size=5))
def test_a_redacted_text_holds_no_secret(scanner: Scanner, parts: list[tuple[Sample, str]]) -> None:
    text = "".join(f"{sample.text}\n{neutral}" for sample, neutral in parts)
    redacted, at = "", 0
    for finding in scanner.scan(text):
        redacted += text[at : finding.start] + "[...]"
        at = finding.end
    redacted += text[at:]
    assert [sample.rule for sample, _ in parts if len(sample.secret) > 1 and sample.secret in redacted] == []

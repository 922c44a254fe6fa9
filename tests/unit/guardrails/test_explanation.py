"""Why a match is a finding or none."""

from __future__ import annotations

import pytest

from agent.guardrails import Account, Outcome, Rule, Scanner
from agent.guardrails.explanation import demands
from agent.model.findings import Family
from tests.unit.guardrails.harmless import HARMLESS
from tests.unit.guardrails.samples import samples


def account(text: str, pattern: str, **settings: object) -> Account:
    """The only account of one rule on a text."""
    rule = Rule(id="r", family=Family.CUSTOM, type="r", pattern=pattern, **settings)  # type: ignore[arg-type]
    (only,) = Scanner((rule,)).explain(text)
    return only


def test_a_finding_is_told_with_all_that_matched() -> None:
    found = account("ä pin: <1234>", r"<(\d{4})>", keywords=("pin",), group=1)
    assert found.outcome is Outcome.FOUND
    assert (found.start, found.end) == (8, 12)
    assert (found.match_start, found.match_end) == (7, 13)
    assert (found.keyword, found.keyword_at) == ("pin", 2)
    assert found.entropy == 2.0


@pytest.mark.parametrize(
    ("text", "settings", "outcome", "why"),
    [
        ("pin" + " " * 70 + "7777", {"keywords": ("pin",)}, Outcome.KEYWORD, "up to 64 bytes before: pin"),
        ("7777", {"entropy": 1.5}, Outcome.ENTROPY, "entropy 0.00, must exceed 1.5"),
        ("7777", {"allow": ("^1", "^7")}, Outcome.ALLOWED, "allow-list matches: ^7"),
        ("7777", {"allow": ("^1",), "stopwords": ("77",)}, Outcome.ALLOWED, "stop word '77'"),
        ("7778", {"validator": "luhn"}, Outcome.VALIDATOR, "the check digit (Luhn) is wrong"),
        ("7777", {"validator": "us_ssn"}, Outcome.VALIDATOR, "asks for: United States: an issued range"),
    ],
)
def test_a_near_miss_is_told_with_the_step_that_dropped_it(
    text: str, settings: dict[str, object], outcome: Outcome, why: str
) -> None:
    missed = account(text, r"7{3}\d", **settings)
    assert missed.outcome is outcome
    assert why in missed.why


def test_a_placeholder_is_called_one() -> None:
    missed = account("password: changeme9", r"password: (\S+)", group=1, validator="password_value")
    assert "placeholder" in missed.why


def test_a_match_without_its_group_is_told() -> None:
    assert account("12x", r"\d+x|(\d+)y", group=1).outcome is Outcome.GROUP


def test_what_another_rule_covers_is_told() -> None:
    short = Rule(id="short", family=Family.CUSTOM, type="t", pattern="bc")
    long = Rule(id="long", family=Family.CUSTOM, type="t", pattern="abcd")
    outcomes = {each.rule.id: (each.outcome, each.why) for each in Scanner((short, long)).explain("abcd")}
    assert outcomes == {"short": (Outcome.COVERED, "covered by long"), "long": (Outcome.FOUND, "")}


def test_it_explains_what_a_scan_finds_and_nothing_else(scanner: Scanner) -> None:
    texts = [each.text for each in samples(1)] + list(HARMLESS)
    for text in texts:
        accounts = [each for each in scanner.explain(text) if each.outcome is Outcome.FOUND]
        findings = scanner.scan(text)
        assert {each.rule for each in findings} == {each.rule.id for each in accounts}
        for finding in findings:
            assert any(
                each.rule.id == finding.rule and each.start <= finding.start and finding.end <= each.end
                for each in accounts
            )


def test_every_reason_leaves_the_value_out(scanner: Scanner) -> None:
    card = "4539" + "148803436468"
    misses = [each for each in scanner.explain(f"card {card}") if each.outcome is not Outcome.FOUND]
    assert misses
    assert not any(card in each.why for each in misses)


def test_a_rule_without_a_validator_demands_nothing() -> None:
    assert demands(Rule(id="r", family=Family.PII, type="r", pattern="a")) == ""


def test_the_description_of_a_rule_changes_no_verdict() -> None:
    plain = Rule(id="r", family=Family.PII, type="r", pattern="a")
    described = Rule(id="r", family=Family.PII, type="r", pattern="a", description="an a")
    assert Scanner((plain,)).digest == Scanner((described,)).digest

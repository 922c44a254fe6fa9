"""`scan --explain`: the rule's side, the policy's side, and what was nearly a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.explanation import explain, masked
from agent.gateway.policy_file import PolicyFile
from tests.fakes.command_line import Drawbridge

CARD = "4539 " + "1488 0343 6467"


@pytest.fixture
def scoped(tmp_path: Path) -> Path:
    """A policy with an exception that is narrowed, and a rule for answers only."""
    file = tmp_path / "scoped.yaml"
    file.write_text(
        "schema_version: 1\n"
        "id: scoped\n"
        "guardrails:\n"
        "  - {id: terminals, detect: [custom], apps: [claude-code], action: allow}\n"
        "  - {id: answers, detect: [custom/project], where: [answer], action: redact}\n"
        "detectors:\n"
        "  - {id: project, keywords: [Nightjar]}\n"
    )
    return file


def test_the_rule_and_the_policy_are_told(drawbridge: Drawbridge) -> None:
    shown = drawbridge("scan", "--explain", stdin=f"x\ncard: {CARD}").stdout
    assert "line 2, column 7  pii/payment_card" in shown
    assert "payment-card" in shown
    assert "validator" in shown
    assert "redact by identity-numbers: the first that names pii/payment_card there" in shown


def test_a_value_is_masked_unless_it_is_asked_for(drawbridge: Drawbridge) -> None:
    hidden = drawbridge("scan", "--explain", stdin=f"card: {CARD}").stdout
    assert "4539************ (19 characters)" in hidden
    assert CARD not in hidden
    assert CARD in drawbridge("scan", "--explain", "--reveal", stdin=f"card: {CARD}").stdout


def test_near_misses_say_what_dropped_them(drawbridge: Drawbridge) -> None:
    shown = drawbridge("scan", "--explain", stdin=f"card: {CARD[:-1]}8").stdout
    assert "0 findings" in shown
    assert "payment-card" in shown
    assert "the check digit (Luhn) is wrong" in shown


def test_json_lines_carry_the_explanation_and_no_value(drawbridge: Drawbridge) -> None:
    text = f"card: {CARD}, wrong: {CARD[:-1]}8"
    output = drawbridge("scan", "--explain", "--json", stdin=json.dumps({"id": 1, "text": text})).stdout
    row = json.loads(output)
    (finding,) = row["findings"]
    assert finding["match"]["span"] == [6, 25]
    assert [each["where"] for each in finding["rulings"]] == ["prompt", "tool_result", "answer"]
    assert {each["outcome"] for each in row["near_misses"]} >= {"validator"}
    assert CARD not in output


def test_the_policys_reasons_name_exceptions_that_were_passed(scoped: Path) -> None:
    (found,), _ = explain(PolicyFile(scoped).rules, "Nightjar")
    prompt, _, answer = found.rulings
    assert (prompt.action, prompt.guardrail) == ("allow", "")
    assert prompt.why == "no guardrail names custom/project there (terminals is only for certain apps)"
    assert (answer.action, answer.guardrail) == ("redact", "answers")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("abc", "*** (3 characters)"),
        ("secret12", "se****** (8 characters)"),
        ("0123456789abcdefghij", "0123************ (20 characters)"),
        ("a\nbcdefgh", "a\\n******* (9 characters)"),
    ],
)
def test_a_mask_shows_a_quarter_at_most(value: str, shown: str) -> None:
    assert masked(value) == shown

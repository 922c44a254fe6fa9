"""Findings are named without their values."""

from __future__ import annotations

from dataclasses import replace

from agent.inspection.justified import NOTHING_JUSTIFIED, Justified
from agent.model.findings import Family, Finding

IBAN = Finding(start=3, end=9, family=Family.PII, type="iban", rule="iban")
KEYED = Justified(key=b"k" * 32)


def test_a_fingerprint_is_that_of_type_and_value_wherever_they_stand() -> None:
    known = KEYED.fingerprint(IBAN, "AB1")
    assert known == KEYED.fingerprint(replace(IBAN, start=0, end=1, rule="other"), "AB1")
    assert known != KEYED.fingerprint(IBAN, "AB2")
    assert known != KEYED.fingerprint(replace(IBAN, type="bic"), "AB1")
    assert known != Justified(key=b"l" * 32).fingerprint(IBAN, "AB1")
    assert len(known) == 32


def test_without_a_key_there_is_none() -> None:
    assert NOTHING_JUSTIFIED.fingerprint(IBAN, "AB1") == ""


def test_a_reason_holds_for_its_guardrail_only() -> None:
    excused = Justified(key=b"k", reasons={("g", "f1"): "because"})
    assert (excused.reason("g", "f1"), excused.reason("h", "f1"), excused.reason("g", "f2")) == (
        "because",
        "",
        "",
    )


def test_the_key_is_not_shown() -> None:
    assert "kkk" not in repr(KEYED)

"""The table of validators."""

from __future__ import annotations

from agent.guardrails.identities import national
from agent.guardrails.rule import Rule
from agent.guardrails.validators import VALIDATORS
from tests.unit.guardrails.draw import Draw


def test_every_name_in_the_packs_exists(rules: tuple[Rule, ...]) -> None:
    used = {rule.validator for rule in rules if rule.validator}
    assert used <= set(VALIDATORS)
    for_custom_rules = {"luhn", "crc32_base62", *national.ALONE} - {"be_nn", "br_cnpj", "br_cpf", "ch_ahv"}
    assert set(VALIDATORS) - used <= for_custom_rules


def test_a_validator_answers_with_the_length_it_accepts() -> None:
    assert VALIDATORS["luhn"]("7992-7398-713", "") == 13
    assert VALIDATORS["luhn"]("7992-7398-710", "") == 0
    iban = Draw(1).iban("DE", "370400440532013000")
    assert VALIDATORS["iban"](iban + " XYZ", "") == 22


def test_no_validator_breaks_on_odd_values() -> None:
    for name, validator in VALIDATORS.items():
        for value in ("é" * 20, "\ufffd", "a", " ", "-", "٣٤٥", "{}", "=" * 30):
            assert validator(value, "é") >= 0, name

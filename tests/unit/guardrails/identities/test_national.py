"""Numbers that states give: every kind has a check that says no to a wrong digit, and a calm that says no to builds."""

from __future__ import annotations

import pytest

from agent.guardrails.identities import national
from agent.guardrails.rule import Rule
from tests.unit.guardrails.draw import Draw
from tests.unit.guardrails.persons import checked


def test_every_kind_is_used_by_a_rule(rules: tuple[Rule, ...]) -> None:
    used = {rule.validator.removesuffix("_alone") for rule in rules}
    assert sorted(set(national.NATIONAL) - used) == []


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        ("pl_pesel", "{ymd}#####"),
        ("de_tax_id", "###########"),
        ("br_cpf", "###########"),
        ("fr_nir", "2850578########"),
        ("tr_tckn", "###########"),
        ("sg_nric", "S#######@"),
        ("tw_id", "A1########"),
        ("hk_id", "A######(#)"),
        ("kz_iin", "{ymd}3#####"),
        ("ru_snils", "###########"),
        ("de_pension_number", "65{dmy}@###"),
        ("au_medicare", "2#########"),
        ("hu_tax_id", "8#########"),
        ("hu_taj", "#########"),
        ("cn_resident_id", "110105{long}####"),
    ],
)
def test_a_wrong_digit_is_told(kind: str, template: str) -> None:
    value = checked(Draw(5), kind, template)
    judge = national.named(kind)
    assert judge(value, "")
    place = 2 if kind in ("au_medicare", "hk_id", "de_pension_number") else len(value) - 3
    wrong = [value[:place] + digit + value[place + 1 :] for digit in "0123456789" if digit != value[place]]
    assert sum(judge(each, "") for each in wrong) <= 1


def test_published_examples_pass() -> None:
    for kind, value in (
        ("sg_nric", "S1234567D"),
        ("tw_id", "A123456789"),
        ("hk_id", "G123456(A)"),
        ("de_pension_number", "15070649C103"),
        ("ru_snils", "112-233-445 95"),
        ("it_codice_fiscale", "RSSMRA85T10A562S"),
        ("fi_hetu", "131052-308T"),
    ):
        value = (
            value if kind == "fi_hetu" or kind == "hk_id" else value.translate(str.maketrans("", "", " -"))
        )
        assert national.NATIONAL[kind](value), kind


@pytest.mark.parametrize(
    "ssn", ["078-05-1120", "123-45-6789", "000-12-3456", "666-12-3456", "900-12-3456", "100-20-3000"]
)
def test_numbers_never_issued_are_no_ssn(ssn: str) -> None:
    assert not national.us_ssn(ssn, "")


def test_issued_numbers_are() -> None:
    assert national.us_ssn("536-22-8726", "")
    assert not national.us_ssn("536-22-8726", "part no. ")


def test_recent_dates_belong_to_builds() -> None:
    judge = national.standing_alone("se_personnummer")
    recent = checked(Draw(6), "se_personnummer", "240115-####")
    assert not judge(recent, "build ")
    assert not judge(recent, "see ")
    assert national.named("se_personnummer")(recent, "personnummer ")
    assert judge(checked(Draw(6), "se_personnummer", "{long}-####"), "see ")


def test_a_part_of_something_longer_is_none() -> None:
    value = checked(Draw(7), "es_dni", "########@")
    judge = national.standing_alone("es_dni")
    assert [judge(value, before) for before in ("", "=", "x", "-", "/", "order ")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]

"""Check digits of our own, against examples that offices and encyclopedias print."""

from __future__ import annotations

from agent.guardrails.identities import offices


def test_examples() -> None:
    assert offices.sg_nric("S1234567D")
    assert offices.sg_nric("G1234567X")
    assert not offices.sg_nric("S1234567A")
    assert offices.tw_id("A123456789")
    assert not offices.tw_id("A123456788")
    assert offices.hk_id("G123456(A)")
    assert not offices.hk_id("G123456(1)")
    assert offices.de_pension_number("15070649C103")
    assert not offices.de_pension_number("15070649C104")
    assert offices.ru_snils("11223344595")
    assert offices.cn_resident_id("11010519491231002X")
    assert not offices.cn_resident_id("110105194912310021")
    assert offices.au_medicare("2123456701")


def test_days_must_exist() -> None:
    assert not offices.kr_rrn("9913011234567")
    assert offices.kr_rrn("9012311234567")
    assert not offices.eg_national_id("29913011234567")
    assert offices.eg_national_id("29001011234567")
    assert not offices.kz_iin("991301312345")
    assert not offices.lv_personal_code("41139012345")


def test_weights() -> None:
    assert not offices.hu_tax_id("8000000001")
    assert not offices.hu_taj("111111111")

"""Check digits against published examples."""

from __future__ import annotations

import pytest

from agent.guardrails.checksums import IBAN_LENGTHS, base62_crc32, checksummed, iban_length, luhn, mod97


@pytest.mark.parametrize(
    ("digits", "right"), [("79927398713", True), ("79927398710", False), ("0", True), ("18", True)]
)
def test_luhn(digits: str, right: bool) -> None:
    assert luhn(digits) is right


@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947"])
def test_the_registrys_examples_are_right_and_a_changed_digit_is_not(iban: str) -> None:
    assert mod97(iban)
    assert iban_length(iban[:2]) == len(iban)
    assert not mod97(iban[:-1] + str((int(iban[-1]) + 1) % 10))


def test_countries_without_ibans_have_no_length() -> None:
    assert [iban_length(country) for country in ("US", "XX", "D8", "2 ", "")] == [0, 0, 0, 0, 0]
    assert all(15 <= int(entry[2:]) <= 33 for entry in IBAN_LENGTHS.split())


def test_the_checksum_of_a_published_expired_token() -> None:
    body = "zQWBuTSOoRi4A9spHcVY5nc" + "nsDkxkJ"
    assert base62_crc32(body) == "0mLq" + "17"
    assert checksummed("pre_" + body + "0mLq" + "17")
    assert not checksummed("pre_" + body + "0mLq" + "18")


def test_short_checksums_are_padded() -> None:
    assert base62_crc32("") == "000000"

"""What is personal data, and what only looks like it."""

from __future__ import annotations

import pytest

from agent.guardrails import identities
from tests.unit.guardrails.samples import Draw


def test_cards_of_each_network_pass_and_test_cards_do_not() -> None:
    draw = Draw(1)
    for prefix, length in (
        ("4539", 16),
        ("5412", 16),
        ("2301", 16),
        ("3712", 15),
        ("3612", 14),
        ("6011", 16),
        ("3530", 16),
    ):
        assert identities.payment_card(draw.luhn(prefix, length), "")
    assert not identities.payment_card(draw.luhn("1234", 16), "")
    assert not identities.payment_card("4111" + "1111" * 3, "")


def test_a_card_inside_something_longer_is_none() -> None:
    card = Draw(2).luhn("4539", 16)
    assert [identities.payment_card(card, before) for before in ("x", "-", "1.", "\\n", " ", "=")] == [
        False,
        False,
        False,
        True,
        True,
        True,
    ]


def test_an_iban_ends_where_its_country_says() -> None:
    iban = Draw(3).iban("ES", "21000418450200051332")
    assert identities.iban(iban + " BIC") == 24
    assert identities.iban(iban) == 24
    assert identities.iban(iban + "7") == 0
    assert identities.iban(iban[:-1]) == 0


@pytest.mark.parametrize(
    "ssn", ["078-05-1120", "123-45-6789", "000-12-3456", "666-12-3456", "900-12-3456", "100-20-3000"]
)
def test_numbers_never_issued_are_no_ssn(ssn: str) -> None:
    assert not identities.us_ssn(ssn)


def test_issued_numbers_are() -> None:
    assert identities.us_ssn("536-22-8726")


@pytest.mark.parametrize(
    ("address", "before", "public"),
    [
        ("93.184.216.34", "from ", True),
        ("93.184.216.34", "http://", True),
        ("93.184.216.34", "Chrome/", False),
        ("93.184.216.34", "version: ", False),
        ("93.184.216.34", "pkg==", False),
        ("10.1.2.3", "", False),
        ("192.0.2.7", "", False),
        ("8.8.8.8", "", False),
        ("7.1.4.34", "", False),
        ("300.1.1.1", "", False),
        ("224.0.0.251", "", False),
    ],
)
def test_public_addresses(address: str, before: str, public: bool) -> None:
    assert identities.public_ipv4(address, before) is public


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("2a00:1450:4001:82f::200e", True),
        ("2001:db8::1", False),
        ("2024:12:01", False),
        ("2a00::1::2", False),
    ],
)
def test_public_addresses_of_the_new_kind(address: str, public: bool) -> None:
    assert identities.public_ipv6(address) is public


@pytest.mark.parametrize(
    ("address", "before", "person"),
    [
        ("jane.doe@corp-mail.com", "", True),
        ("jane@firma.de", "mailto:", True),
        ("git@github.com", "", False),
        ("noreply@corp-mail.com", "", False),
        ("jane@example.com", "", False),
        ("icon@2x.png", "", False),
        ("react@18.2.0", "", False),
        ("pass@db.corp-mail.com", "postgres://user:", False),
        ("user@host.corp-mail.com", "ssh://", False),
        ("a..b@corp-mail.com", "", False),
    ],
)
def test_mailboxes(address: str, before: str, person: bool) -> None:
    assert identities.email(address, before) is person


@pytest.mark.parametrize(
    ("number", "person"),
    [
        ("+44 20 7946 0958", True),
        ("+1 415-867-5309", True),
        ("+1 115-867-5309", False),
        ("+999 20 7946 0958", False),
        ("+1 415 555 0123", False),
        ("+12345", False),
        ("030 2345 6789", True),
        ("+44 11 1111 1111", False),
    ],
)
def test_telephone_numbers(number: str, person: bool) -> None:
    assert identities.phone(number, " ") is person


@pytest.mark.parametrize(
    ("number", "before", "person"),
    [
        ("415-867-5309", "", True),
        ("(415) 867-5309", "", True),
        ("415.867.5309", "", False),
        ("415.867.5309", "call me: ", True),
        ("415-867-5309", "id_", False),
        ("415-555-0123", "", False),
        ("411-867-5309", "", False),
    ],
)
def test_numbers_of_north_america(number: str, before: str, person: bool) -> None:
    assert identities.phone_us(number, before) is person

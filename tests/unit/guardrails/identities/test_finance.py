"""Cards, accounts and banks."""

from __future__ import annotations

from agent.guardrails.identities import finance
from tests.unit.guardrails.draw import Draw


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
        ("2131", 15),
    ):
        assert finance.payment_card(draw.luhn(prefix, length), "")
    assert not finance.payment_card(draw.luhn("1234", 16), "")
    assert not finance.payment_card("4111" + "1111" * 3, "")


def test_what_is_rare_needs_a_word_for_cards() -> None:
    maestro, old = Draw(2).luhn("5018", 16), Draw(2).luhn("4539", 13)
    assert [finance.payment_card(each, "number ") for each in (maestro, old)] == [False, False]
    assert [finance.payment_card(each, "Card: ") for each in (maestro, old)] == [True, True]


def test_a_card_inside_something_longer_is_none() -> None:
    card = Draw(2).luhn("4539", 16)
    assert [
        finance.payment_card(card, before) for before in ("x", "-", "1.", "\\n", " ", "=", "order_id: ")
    ] == [
        False,
        False,
        False,
        True,
        True,
        True,
        False,
    ]


def test_an_iban_ends_where_its_country_says() -> None:
    iban = Draw(3).iban("ES", "21000418450200051332")
    assert finance.iban(iban + " BIC") == 24
    assert finance.iban(iban) == 24
    assert finance.iban(iban.lower()) == 24
    assert finance.iban(iban + "7") == 0
    assert finance.iban(iban[:-1]) == 0


def test_an_iban_has_letters_only_where_its_country_does() -> None:
    assert finance.iban(Draw(3).iban("GB", "WEST12345698765432"))
    assert not finance.iban(Draw(3).iban("BE", "c61e5e827a80"[:12].upper()))


def test_six_digits_are_an_account_only_beside_a_bank() -> None:
    assert finance.bank_account("409682", "First Bank, account number ")
    assert not finance.bank_account("409682", "account_no=")


def test_a_bank_is_in_a_country() -> None:
    assert finance.bic("DEUTDEFF")
    assert finance.bic("BNPAFRPPXXX")
    assert not finance.bic("PASSWORD")
    assert not finance.bic("DEUTDEF")


def test_routing_numbers_have_a_check_digit() -> None:
    assert finance.us_routing_number("021000021")
    assert not finance.us_routing_number("021000022")
    assert not finance.us_routing_number("991000021")


def test_an_account_is_no_order() -> None:
    assert finance.bank_account("6478291034", "account number ")
    assert not finance.bank_account("6478291034", "account: order ")
    assert not finance.bank_account("0000000000", "account number ")


def test_numbers_of_a_table_are_no_card() -> None:
    card = Draw(4).luhn("4539", 16)
    grouped = " ".join(card[at : at + 4] for at in range(0, 16, 4))
    assert finance.payment_card(grouped, "card ")
    assert not finance.payment_card(grouped, "607A 607B ")
    assert not finance.payment_card("5596 5597 5598 5599", "")


def test_an_account_alone_needs_a_bank() -> None:
    assert finance.bank_account_in_context("6478291034", "routing 021000021, account ")
    assert not finance.bank_account_in_context("6478291034", "github account ")

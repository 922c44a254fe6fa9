"""Texts that look drawn by chance, and texts that only have a token's form."""

from __future__ import annotations

import base64

import pytest

from agent.guardrails import tokens
from tests.unit.guardrails.samples import Draw


def test_some_part_of_a_random_token_is_drawn_by_chance() -> None:
    assert tokens.random_token("re_" + Draw(5).alnum(24))
    assert tokens.random_token("key-" + Draw(5).hex(32))
    words = ("sk-cube-grid-animation-delay", "re_export_all_symbols_2", "secret_GlobalsProviderFactory1")
    assert [tokens.random_token(word) for word in words] == [False] * 3


def test_a_wrong_checksum_leaves_a_token_that_looks_drawn() -> None:
    body = Draw(6).alnum(36)
    assert tokens.checksummed_token("pre_" + body)
    assert not tokens.checksummed_token("pre_" + "Placeholder" * 3 + "abc")
    assert not tokens.checksummed_token("pre_" + "abcdefghijklmnopqrstuvwxyz0123456789")


def test_armour_around_an_ellipsis_is_no_key() -> None:
    begin, end = "-----BEGIN PRIVATE" + " KEY-----\n", "\n-----END PRIVATE" + " KEY-----"
    assert tokens.private_key(begin + Draw(7).base64(64) + end)
    assert not tokens.private_key(begin + "MIIEvQIBADANBgkqhkiG9w0" + end)
    assert not tokens.private_key(begin + "A" * 64 + end)


def test_a_web_token_has_a_header() -> None:
    token = Draw(3).jwt()
    assert tokens.jwt(token)
    assert not tokens.jwt("eyJ" + token[5:])
    assert not tokens.jwt(base64.urlsafe_b64encode(b'{"a":1}').decode())


def test_a_token_is_no_placeholder() -> None:
    assert tokens.token("sk-" + Draw(4).alnum(40))
    assert not tokens.token("sk-" + "x" * 40)
    assert not tokens.token("sk-" + "your-key-goes-here-12")
    assert not tokens.token("sk-" + "1" * 40)


@pytest.mark.parametrize(("text", "bits"), [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0)])
def test_entropy(text: str, bits: float) -> None:
    assert tokens.entropy(text) == bits


def test_a_token_named_by_its_vendor_needs_a_digit_or_chance() -> None:
    assert tokens.named_token("".join(("jxwnqp", "ypyj8bqmzk")))
    assert tokens.named_token("".join(("QxWmTk", "PbZrYnLsVd")))
    assert not tokens.named_token("clientconfiguration")


def test_a_token_of_common_letters_stands_in_no_base64() -> None:
    value = "EAAB" + Draw(9).alnum(100)
    assert tokens.isolated_token(value, "token=")
    assert not tokens.isolated_token(value, "iVBORw0KGgo/")


def test_of_a_webhook_the_last_part_is_judged() -> None:
    assert tokens.path_token("services/T00000000/B00000000/" + Draw(10).alnum(24))
    assert not tokens.path_token("services/T00000000/B00000000/" + "X" * 24)

"""Wallets and their checksums; the addresses are examples of the specifications."""

from __future__ import annotations

import pytest

from agent.guardrails.identities.crypto import crypto_wallet
from tests.unit.guardrails.draw import Draw
from tests.unit.guardrails.persons import base58check, ethereum


def test_an_address_with_its_checksum_passes_and_with_another_letter_does_not() -> None:
    for make in (lambda d: base58check(d, 0), lambda d: base58check(d, 0x1E), ethereum):
        address = make(Draw(3))
        assert crypto_wallet(address, "")
        assert not crypto_wallet(address[:20] + ("a" if address[20] != "a" else "b") + address[21:], "")


@pytest.mark.parametrize(
    ("address", "valid"),
    [
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", True),
        ("BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", True),
        ("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", True),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp", False),
        ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", True),
        ("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTi", False),
        (
            "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
            True,
        ),
        (
            "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3B",
            False,
        ),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", True),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD", False),
        ("0x000000000000000000000000000000000000dEaD", False),
    ],
)
def test_examples_of_the_specifications(address: str, valid: bool) -> None:
    assert crypto_wallet(address, "") is valid


def test_an_ethereum_address_without_capitals_needs_a_word() -> None:
    address = "0x" + Draw(4).hex(40)
    assert not crypto_wallet(address, "hash: ")
    assert crypto_wallet(address, "wallet: ")
    assert crypto_wallet(address, "her payout wallet is ")
    assert crypto_wallet(address, "<eth_wallet>")
    assert not crypto_wallet(address, "the contract address is ")
    assert not crypto_wallet(address, "the wallet called ")

"""Addresses of wallets, by the checksums that their chains put into them."""

from __future__ import annotations

import hashlib

from agent.guardrails.identities.keccak import keccak256
from agent.guardrails.identities.surroundings import last_word

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_PREFIXES = ("addr1", "cosmos1")
_LONGEST_BASE58 = 64
_BECH32_SUMS = (1, 0x2BC830A3)  # BIP 173; BIP 350, for taproot
# Versions of Bitcoin, Litecoin, Dogecoin, Dash and Tron addresses; of Zcash, which has two bytes
_VERSIONS = frozenset((0x00, 0x05, 0x30, 0x32, 0x1E, 0x16, 0x4C, 0x10, 0x41))
_ZCASH_VERSIONS = (b"\x1c\xb8", b"\x1c\xbd")
_MONERO_VERSIONS = frozenset((18, 19, 42))  # an address, an integrated one, that of an account below
_MONERO_BLOCKS = {11: 8, 7: 5, 6: 4, 9: 6, 10: 7, 5: 3, 3: 2, 2: 1}  # characters to bytes
_WALLET_WORDS = frozenset(
    [
        "wallet",
        "eth",
        "ethereum",
        "ether",
        "address",
        "erc20",
        "metamask",
        "payout",
        "deposit",
        "withdrawal",
        "donate",
        "donation",
        "recipient",
    ]
)
_TOLD_WORDS = _WALLET_WORDS - {"address", "recipient"}  # contracts have those too
_FIELD_WORDS = _TOLD_WORDS - {"recipient"}
_SENTENCE = 5  # words


def crypto_wallet(value: str, before: str) -> bool:
    """An address of Bitcoin and its kin, Ripple, Monero, Cardano, Cosmos or an Ethereum chain, with its checksum.

    Ethereum addresses without capitals carry none (EIP-55): a word before them must say what they are.
    """
    if value.startswith("0x"):
        return _ethereum(value[2:], before)
    if value[:4].lower() in ("bc1q", "bc1p", "ltc1") or value.startswith(_BECH32_PREFIXES):
        return bech32(value)
    if len(value) > _LONGEST_BASE58:
        return monero(value)
    if value.startswith("r"):
        return base58check(value, _RIPPLE)
    return base58check(value, _BASE58)


def base58check(value: str, alphabet: str) -> bool:
    """Whether the last four of 25 bytes are the checksum of the others, and the first a version known here."""
    number = 0
    for char in value:
        place = alphabet.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    if number >= 1 << 208:
        return False
    data = number.to_bytes(26, "big")
    known = data[:2] in _ZCASH_VERSIONS
    if not known:
        known, data = data[0] == 0 and data[1] in _VERSIONS, data[1:]
    check = hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()
    return known and check[:4] == data[-4:] and len(set(data[1:-4])) > 3


def monero(value: str) -> bool:
    """Whether a Monero address has its checksum: base 58 in blocks of eight bytes, the last four of Keccak-256."""
    data = b""
    for start in range(0, len(value), 11):
        block, number = value[start : start + 11], 0
        size = _MONERO_BLOCKS.get(len(block), 0)
        for char in block:
            place = _BASE58.find(char)
            if place < 0:
                return False
            number = number * 58 + place
        if not size or number >= 1 << 8 * size:
            return False
        data += number.to_bytes(size, "big")
    return data[0] in _MONERO_VERSIONS and keccak256(data[:-4])[:4] == data[-4:]


def bech32(value: str) -> bool:
    """Whether a segregated-witness address has the checksum of BIP 173 or BIP 350."""
    value = value.lower()
    prefix, _, data = value.rpartition("1")
    values = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    for char in data:
        place = _BECH32.find(char)
        if place < 0:
            return False
        values.append(place)
    check = 1
    for number in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ number
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check in _BECH32_SUMS


def _told(before: str) -> bool:
    """Whether a sentence says so: a word for wallets, and a verb before the address."""
    words = before.lower().rpartition("\n")[2].replace(":", " ").split()[-_SENTENCE:]
    return words[-1:] in (["is"], ["to"]) and not _TOLD_WORDS.isdisjoint(words)


def _in_field(before: str) -> bool:
    """Whether a field whose name has such a word holds it: `<eth_wallet>`, `"payout_wallet_id": "`."""
    name = before.lower().rstrip(" \"'=:>\\").rpartition(" ")[2].rpartition("<")[2].rpartition('"')[2]
    return before[-1:] in tuple(">\"'=: ") and not _FIELD_WORDS.isdisjoint(name.split("_"))


def _ethereum(digits: str, before: str) -> bool:
    if len(set(digits.lower())) < 7:  # 0x000000000000000000000000000000000000dEaD and its like
        return False
    if digits.islower() or digits.isupper():
        return last_word(before) in _WALLET_WORDS or _told(before) or _in_field(before)
    marks = keccak256(digits.lower().encode("ascii")).hex()
    return all(
        char.isdigit() or char.isupper() == (mark >= "8") for char, mark in zip(digits, marks, strict=False)
    )

"""The digest, against known ones."""

from __future__ import annotations

import hashlib

from agent.guardrails.identities.keccak import keccak256


def test_known_digests() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty
    assert keccak256(b"testing").hex() == "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02"


def test_it_is_not_sha3_and_takes_more_than_one_block() -> None:
    assert keccak256(b"a" * 300) != hashlib.sha3_256(b"a" * 300).digest()
    assert len({keccak256(b"a" * size) for size in (135, 136, 137, 272)}) == 4

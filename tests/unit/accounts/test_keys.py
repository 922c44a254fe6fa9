"""Keys are told from typing errors, and only their hashes are kept."""

from __future__ import annotations

import hashlib

import pytest

from agent.accounts.keys import LENGTH, PREFIX, hashed, is_well_formed, new_key


def test_a_new_key_is_whole_and_nobody_has_it() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(is_well_formed(key) and len(key) == LENGTH and key.startswith(PREFIX) for key in keys)


@pytest.mark.parametrize("place", [6, 20, 37, 38, LENGTH - 1])
def test_one_wrong_character_is_noticed(place: int) -> None:
    key = new_key()
    wrong = "a" if key[place] != "a" else "b"
    assert not is_well_formed(key[:place] + wrong + key[place + 1 :])


@pytest.mark.parametrize("text", ["", "sk-db-", "sk-proj-" + "a" * 36, PREFIX + "ä" * 38, PREFIX + "a" * 38])
def test_other_texts_are_no_keys(text: str) -> None:
    assert not is_well_formed(text)


def test_a_key_that_was_cut_off_or_has_a_tail_is_none() -> None:
    key = new_key()
    assert not is_well_formed(key[:-1])
    assert not is_well_formed(f"{key}0")


def test_a_hash_is_what_a_policy_takes() -> None:
    assert hashed("sk-db-x") == "sha256:" + hashlib.sha256(b"sk-db-x").hexdigest()
    assert hashed("\udcff")  # what is no text has one, too

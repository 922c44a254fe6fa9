"""What lies on the disk tells nothing, and cannot be changed or moved unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.sealing import Sealer
from agent.errors import ConfigError

SEALER = Sealer(b"s" * 32)


@given(st.binary(max_size=600), st.binary(max_size=40))
def test_it_is_opened_with_what_it_was_bound_to(data: bytes, key: bytes) -> None:
    sealed = SEALER.seal(data, key)
    assert SEALER.unseal(sealed, key) == data
    assert SEALER.unseal(sealed, key + b"!") is None
    assert Sealer(b"t" * 32).unseal(sealed, key) is None


def test_the_text_does_not_show() -> None:
    sealed = SEALER.seal(b"the merger with Initech" * 40, b"k")
    assert b"Initech" not in sealed
    assert len(sealed) < 200  # compressed
    assert sealed != SEALER.seal(b"the merger with Initech" * 40, b"k")


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 64])
def test_what_is_damaged_is_not_opened(sealed: bytes) -> None:
    assert SEALER.unseal(sealed, b"k") is None


def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="shorter than 32 bytes"):
        Sealer(b"secret")


def test_names_and_contents_have_keys_of_their_own() -> None:
    assert SEALER.naming != b"s" * 32
    assert len(SEALER.naming) == 32

"""Nobody fills the trail with orders."""

from __future__ import annotations

from agent.control.recording import PER_MINUTE, Shares


def test_an_account_has_its_share_and_what_is_left_out_is_counted() -> None:
    shares = Shares()
    assert [shares.take(7, 0.0) for _ in range(PER_MINUTE)] == [0] * PER_MINUTE
    assert [shares.take(7, 0.1) for _ in range(5)] == [None] * 5
    assert shares.take(8, 0.1) == 0  # another account has its own
    assert shares.take(7, 10.0) == 5
    assert shares.take(7, 10.0) == 0

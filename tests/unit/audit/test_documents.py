"""Texts from outside, as documents of the trail hold them."""

from __future__ import annotations

from agent.audit.documents import clipped


def test_long_and_odd_texts_are_clipped() -> None:
    assert clipped("x" * 2000) == "x" * 1024 + "…"
    assert clipped("a\ud800") == "a?"

"""Character sets: what an atom of a pattern may match, held against RE2 itself."""

from __future__ import annotations

import pytest

from agent.guardrails.characters import ANY, charset
from agent.guardrails.regex import compiled

BEYOND = ("é", "\u017f", "\u212a", "\u00a0", "中", "\U0001f600")
ATOMS = (
    *("a", ".", r"\.", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\n", r"\t", r"\x41", r"\x{41}", r"\x{A0}"),
    *("[abc]", "[a-f0-9_]", "[^a-f]", r"""[^\s"']""", r"[\w.+-]", r"[\]\-x]", r"[A-Z\d]", "[é]", "[à-ü]"),
    *(r"[\x{80}-\x{FFFF}]", "[[:alpha:]]", r"\pL"),
    *("(?i:k)", "(?i:[a-c])", "(?i:[^k])", "(?i:é)", "(?s:.)", r"(?im:[,;\t])"),
)


@pytest.mark.parametrize("atom", ATOMS)
def test_nothing_that_re2_matches_is_left_out(atom: str) -> None:
    pattern, chars = compiled(atom, memory=1 << 20, captures=False), charset(atom)
    for code in range(128):
        if pattern.search(bytes([code])) is not None:
            assert code in chars.ascii
    if any(pattern.search(char.encode()) is not None for char in BEYOND):
        assert chars.beyond


def test_what_is_plain_to_see_is_told_exactly() -> None:
    assert charset("[a-c_]") == (frozenset(b"abc_"), False)
    assert charset(r"\d").within(frozenset(b"0123456789"))
    assert charset("(?i:[a-c])").ascii == frozenset(b"abcABC")
    assert charset("[[:alpha:]]") is ANY

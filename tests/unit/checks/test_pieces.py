"""Texts cut to what a service takes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.checks.pieces import OVERLAP, cuts, sendable, spread

TEXTS = st.text(alphabet="ab \n", max_size=3000)


def test_a_short_text_is_one_piece() -> None:
    assert [(cut.start, cut.end) for cut in cuts("abc", 3)] == [(0, 3)]
    assert [(cut.start, cut.end) for cut in cuts("", 3)] == [(0, 0)]


def test_a_cut_goes_through_white_space_where_there_is_some() -> None:
    text = "word " * 400
    assert all(text[cut.end - 1] == " " for cut in cuts(text, 999))


@given(TEXTS, st.integers(4, 1000))
def test_pieces_cover_the_text_and_overlap_and_none_is_too_long(text: str, size: int) -> None:
    made = cuts(text, size)
    assert (made[0].start, made[-1].end) == (0, len(text))
    assert all(cut.end - cut.start <= size for cut in made)
    for one, two in pairwise(made):
        assert one.start < two.start
        assert one.end - two.start == min(OVERLAP, size // 4)


@given(st.integers(1, 500), st.integers(1, 60))
def test_what_is_looked_at_has_head_and_tail_and_is_never_more_than_allowed(count: int, most: int) -> None:
    places = spread(count, most)
    assert len(places) == min(count, most)
    assert list(places) == sorted(set(places))
    assert places[0] == 0
    assert most == 1 or places[-1] == count - 1


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
def test_what_is_sent_is_utf8_and_no_place_moves(text: str) -> None:
    sent = sendable(text)
    assert len(sent) == len(text)
    sent.encode()


def test_only_lone_surrogates_are_replaced() -> None:
    assert sendable("é😀\ud83d\ude00a") == "é😀\ufffd\ufffda"
    assert sendable("plain") == "plain"

"""Short texts sent as one, and findings given back to whom they belong."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.checks.bundles import BETWEEN, SHORT, bundled, bundles, parted
from agent.checks.ports import Mark


def mark(start: int, end: int) -> Mark:
    return Mark(start=start, end=end, category="c", score=0.5)


def test_short_neighbours_go_together_and_long_texts_alone() -> None:
    assert bundles([10, 10, SHORT + 1, 10, 10], 5000) == ((0, 1), (2,), (3, 4))


@given(st.lists(st.integers(0, 2 * SHORT), max_size=50), st.integers(2 * SHORT, 10 * SHORT))
def test_every_text_goes_once_in_order_and_no_bundle_is_too_long(lengths: list[int], most: int) -> None:
    made = bundles(lengths, most)
    assert [place for places in made for place in places] == list(range(len(lengths)))
    assert all(len(bundled(["x" * lengths[place] for place in places])) <= most for places in made)


def test_a_mark_in_one_text_is_that_texts() -> None:
    texts = ["one", "two", "three"]
    whole = bundled(texts)
    at = whole.index("two")
    assert parted([mark(at, at + 3), mark(0, 1)], [3, 3, 5]) == ((mark(0, 1),), (mark(0, 3),), ())


def test_a_mark_that_reaches_between_two_texts_is_cut_and_one_that_lies_there_is_dropped() -> None:
    assert parted([mark(1, 3 + len(BETWEEN)), mark(3, 4)], [3, 3]) == ((mark(1, 3),), ())


def test_of_a_mark_about_several_nobody_can_say_whose_it_is() -> None:
    assert parted([mark(0, 1), mark(0, 8)], [3, 3]) is None

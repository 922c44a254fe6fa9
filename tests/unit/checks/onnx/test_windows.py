"""Windows of tokens."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.checks.onnx.windows import windows


def test_a_short_text_is_one_window_and_none_is_none() -> None:
    assert windows(10, size=16, stride=12, most=3) == ((0, 10),)
    assert windows(0, size=16, stride=12, most=3) == ()


def test_of_a_long_text_head_tail_and_middle_are_looked_at() -> None:
    assert windows(1000, size=100, stride=50, most=3) == ((0, 100), (450, 550), (900, 1000))


@given(st.integers(1, 2000), st.integers(2, 64), st.data())
def test_without_a_limit_every_token_is_seen(count: int, size: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, size))
    made = windows(count, size=size, stride=stride, most=10_000)
    assert made[0][0] == 0
    assert made[-1][1] == count
    assert all(two[0] <= one[1] for one, two in pairwise(made))
    assert all(end - start == min(size, count) for start, end in made)

"""Counters against a plain list of what happened."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.accounts.counter import Counter
from agent.accounts.windows import Rolling, Window, window
from agent.policy.accounts import Per, WindowKind
from tests.fakes.accounts import NOW

frames = st.sampled_from(
    [
        Rolling(1, 60),
        Rolling(10, 6),
        Rolling(60, 60),
        window(Per.MINUTE, WindowKind.CALENDAR),
        window(Per.HOUR, WindowKind.CALENDAR),
        window(Per.DAY, WindowKind.CALENDAR, "Europe/Berlin"),
    ]
)
steps = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 50), st.integers(-50, 50)), max_size=40)


@given(frames, steps)
def test_the_sum_is_what_was_counted_in_the_window(
    frame: Window, happened: list[tuple[int, int, int]]
) -> None:
    counter, now, counted = Counter(frame), int(NOW), []
    for wait, amount, correction in happened:
        now += wait
        counter.advance(now)
        slot = counter.at
        counter.add(slot, amount)
        counter.add(slot, max(correction, -amount))
        counted.append((slot, amount + max(correction, -amount)))
        first = frame.first(frame.span(now).slot)
        assert counter.total == sum(each for slot, each in counted if slot >= first)


@given(frames, steps, st.integers(1, 200))
def test_no_stretch_of_a_rolling_windows_length_passes_the_limit(
    frame: Window, happened: list[tuple[int, int, int]], limit: int
) -> None:
    counter, now = Counter(frame), int(NOW)
    passed: list[tuple[int, int]] = []
    for wait, amount, _ in happened:
        now += wait % 100
        counter.advance(now)
        if counter.total + amount <= limit:
            counter.add(counter.at, amount)
            passed.append((now, amount))
        elif (after := counter.retry_after(now, limit, amount)) is not None:
            later = Counter(frame, counter.slots)
            later.advance(now + after)
            assert later.total + amount <= limit
            later.advance(now + after - 1)
            assert after == 1 or later.total + amount > limit
        else:
            assert amount > limit
    if isinstance(frame, Rolling):
        length = frame.width * frame.count
        for start, _ in passed:
            assert sum(amount for when, amount in passed if start <= when < start + length) <= limit


@given(frames, st.lists(st.tuples(st.integers(-9000, 9000), st.integers(0, 50)), max_size=30))
def test_a_clock_that_jumps_never_makes_the_sum_wrong(frame: Window, jumps: list[tuple[int, int]]) -> None:
    counter, now = Counter(frame), int(NOW)
    for jump, amount in jumps:
        now += jump
        counter.advance(now)
        counter.add(counter.at, amount)
        first = frame.first(counter.at)
        assert max(counter.slots) == counter.at
        assert counter.total == sum(each for slot, each in counter.slots.items() if slot >= first) >= amount


def test_a_correction_of_what_is_forgotten_changes_nothing() -> None:
    counter = Counter(Rolling(1, 60))
    counter.advance(NOW)
    old = counter.at
    counter.add(old, 10)
    counter.advance(NOW + 1000)
    counter.add(old, -10)
    counter.add(old, 10)
    assert (counter.total, sum(counter.slots.values())) == (0, 0)


def test_an_amount_never_falls_below_nothing() -> None:
    counter = Counter(Rolling(1, 60))
    counter.advance(NOW)
    counter.add(counter.at, 5)
    counter.add(counter.at, -10)
    assert counter.total == 0


def test_counters_go_on_with_what_was_written_down() -> None:
    first = Counter(Rolling(60, 60))
    first.advance(NOW)
    first.add(first.at, 7)
    second = Counter(Rolling(60, 60), first.slots)
    second.advance(NOW + 30)
    assert second.total == 7

"""Windows: slots follow one another without gap or overlap, in every zone and across every change of clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.accounts.windows import ALWAYS, Calendar, Rolling, Window, window
from agent.policy.accounts import Per, WindowKind

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # clocks left midnight out until 2019
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",  # the hour after midnight comes twice
    "Australia/Lord_Howe",  # half an hour
    "Asia/Kathmandu",
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Chatham",
]
moments = st.integers(min_value=946_684_800, max_value=2_500_000_000)
windows = st.one_of(
    st.builds(window, st.sampled_from(Per)),
    st.builds(window, st.sampled_from(Per), st.just(WindowKind.CALENDAR), st.sampled_from(ZONES)),
)


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@given(windows, moments)
def test_every_moment_lies_in_one_slot(frame: Window, now: int) -> None:
    span = frame.span(now)
    assert span.since <= now < span.until
    assert frame.span(span.since) == span == frame.span(span.until - 0.001)
    after, before = frame.span(span.until), frame.span(span.since - 1)
    assert (after.since, before.until) == (span.until, span.since)
    assert before.slot < span.slot < after.slot


@given(windows, moments, st.integers(min_value=0, max_value=400 * 86_400))
def test_a_slot_counts_until_it_is_forgotten(frame: Window, now: int, later: int) -> None:
    slot = frame.span(now).slot
    counts = slot >= frame.first(frame.span(now + later).slot)
    assert counts == (now + later < frame.forgotten_at(slot))
    assert frame.kept_until(slot) >= frame.forgotten_at(slot)
    assert frame.kept(slot) <= frame.first(slot)


@given(st.sampled_from(Per), moments)
def test_a_rolling_window_forgets_after_its_length_and_at_most_one_slot_later(per: Per, now: int) -> None:
    frame = window(per)
    assert isinstance(frame, Rolling)
    age = frame.forgotten_at(frame.span(now).slot) - now
    assert frame.width * frame.count < age <= frame.width * (frame.count + 1)


@pytest.mark.parametrize(
    ("per", "now", "since", "until"),
    [
        (Per.DAY, "2027-01-15T12:00", "2027-01-15T00:00", "2027-01-16T00:00"),
        (Per.WEEK, "2027-01-15T12:00", "2027-01-11T00:00", "2027-01-18T00:00"),  # a Friday, from Monday
        (Per.WEEK, "2027-01-11T00:00", "2027-01-11T00:00", "2027-01-18T00:00"),
        (Per.WEEK, "2026-12-31T12:00", "2026-12-28T00:00", "2027-01-04T00:00"),
        (Per.MONTH, "2027-02-28T23:59", "2027-02-01T00:00", "2027-03-01T00:00"),
        (Per.MONTH, "2027-12-31T23:59", "2027-12-01T00:00", "2028-01-01T00:00"),
        (Per.QUARTER, "2027-05-31T12:00", "2027-04-01T00:00", "2027-07-01T00:00"),
        (Per.QUARTER, "2027-12-31T12:00", "2027-10-01T00:00", "2028-01-01T00:00"),
        (Per.YEAR, "2028-02-29T12:00", "2028-01-01T00:00", "2029-01-01T00:00"),
        (Per.HOUR, "2027-01-15T12:34", "2027-01-15T12:00", "2027-01-15T13:00"),
        (Per.MINUTE, "2027-01-15T12:34", "2027-01-15T12:34", "2027-01-15T12:35"),
        (Per.DAY, "2027-03-28T12:00", "2027-03-28T00:00", "2027-03-29T00:00"),  # 23 hours in Berlin
        (Per.DAY, "2027-10-31T12:00", "2027-10-31T00:00", "2027-11-01T00:00"),  # 25
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC"])
def test_calendar_windows_begin_where_people_say(
    per: Per, now: str, since: str, until: str, zone: str
) -> None:
    span = window(per, WindowKind.CALENDAR, zone).span(at(now, zone))
    assert span[1:] == (at(since, zone), at(until, zone))


def test_days_are_as_long_as_their_clocks_say() -> None:
    berlin = window(Per.DAY, WindowKind.CALENDAR, "Europe/Berlin")
    lengths = [
        (span := berlin.span(at(day, "Europe/Berlin"))).until - span.since
        for day in ("2027-03-28T12:00", "2027-10-31T12:00", "2027-07-01T12:00")
    ]
    assert lengths == [23 * 3600, 25 * 3600, 24 * 3600]


def test_windows_of_other_lengths_kinds_and_zones_count_apart() -> None:
    frames = [window(Per.DAY), window(Per.WEEK), window(Per.DAY, WindowKind.CALENDAR)]
    frames.append(window(Per.DAY, WindowKind.CALENDAR, "Europe/Berlin"))
    assert len({frame.name for frame in frames}) == 4
    assert frames[2] == Calendar(Per.DAY, UTC)


def test_what_is_under_way_has_one_slot_for_ever() -> None:
    assert ALWAYS.span(0) == ALWAYS.span(2e9)
    assert ALWAYS.first(0) == ALWAYS.kept(0) == ALWAYS.forgotten_at(0) == 0

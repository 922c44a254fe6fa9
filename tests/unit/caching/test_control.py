"""A client narrows what the cache does for it, by headers; what cannot be followed is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.control import HEADERS, PLAIN, BadControl, Control, read_control

OWN, TTL, THRESHOLD, STANDARD = (
    "x-drawbridge-cache",
    "x-drawbridge-cache-ttl",
    "x-drawbridge-cache-threshold",
    "cache-control",
)


def read(*headers: tuple[str, str]) -> Control:
    control = read_control(headers)
    assert isinstance(control, Control)
    return control


def test_who_says_nothing_gets_what_policy_gives() -> None:
    assert read(("accept", "*/*"), ("x-drawbridge-cachet", "?")) == PLAIN


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        (OWN, "no-store", Control(store=False)),
        (OWN, "no-cache", Control(read=False)),
        (OWN, "OFF", Control(read=False, store=False)),
        (OWN, "only-if-cached, no-store", Control(only_if_cached=True, store=False)),
        (OWN, "", PLAIN),
        (STANDARD, "no-store", Control(store=False)),
        (STANDARD, "No-Cache", Control(read=False)),
        (STANDARD, "max-age=60", Control(max_age_seconds=60)),
        (STANDARD, 'max-age="60", max-age=30', Control(max_age_seconds=30)),
        (STANDARD, "max-age=soon", Control(read=False)),
        (STANDARD, "no-transform, stale-while-revalidate=3", PLAIN),
        (TTL, "90", Control(ttl_seconds=90)),
        (TTL, "5m", Control(ttl_seconds=300)),
        (TTL, "2H", Control(ttl_seconds=7200)),
        (TTL, "1d", Control(ttl_seconds=86400)),
        (THRESHOLD, "0.97", Control(threshold=0.97)),
        (THRESHOLD, "1", Control(threshold=1.0)),
    ],
)
def test_wishes(name: str, value: str, wanted: Control) -> None:
    assert read((name, value)) == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (OWN, "no-stroe"),
        (OWN, "no-store;off"),
        (TTL, "0"),
        (TTL, "31d"),
        (TTL, "5 minutes"),
        (TTL, "-5"),
        (TTL, "٥"),
        (TTL, "1.5h"),
        (TTL, ""),
        (THRESHOLD, "1.2"),
        (THRESHOLD, "nan"),
        (THRESHOLD, "0x1"),
        (THRESHOLD, "-0.1"),
        (THRESHOLD, ".5"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(name: str, value: str) -> None:
    told = read_control([(name, value)])
    assert isinstance(told, BadControl)
    assert told.header == name
    assert name in str(told)
    assert told.hint


def test_the_strictest_of_several_holds() -> None:
    assert read((TTL, "60"), (TTL, "30"), (TTL, "90")).ttl_seconds == 30
    assert read((THRESHOLD, "0.9"), (THRESHOLD, "0.99"), (THRESHOLD, "0.95")).threshold == 0.99


@given(st.lists(st.tuples(st.sampled_from([*sorted(HEADERS), STANDARD]), st.text(max_size=20))))
def test_no_header_raises(headers: list[tuple[str, str]]) -> None:
    assert isinstance(read_control(headers), Control | BadControl)

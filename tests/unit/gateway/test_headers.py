"""What travels on, and what is this hop's own."""

from __future__ import annotations

import pytest

from agent.gateway import headers
from agent.gateway.headers import HOP_BY_HOP


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_the_fields_of_a_hop_do_not_travel(name: bytes) -> None:
    assert headers.forwardable(((name, b"x"), (b"accept", b"y"))) == [(b"accept", b"y")]


def test_fields_named_by_connection_do_not_travel_however_they_are_written() -> None:
    fields = (
        (b"connection", b"close, X-One"),
        (b"x-one", b"1"),
        (b"connection", b" x-two "),
        (b"x-two", b"2"),
        (b"x-three", b"3"),
    )
    assert headers.forwardable(fields) == [(b"x-three", b"3")]


def test_order_and_repetitions_are_kept() -> None:
    fields = ((b"b", b"1"), (b"a", b"2"), (b"b", b"3"))
    assert headers.forwardable(fields) == list(fields)


def test_more_can_be_dropped() -> None:
    assert headers.forwardable(((b"host", b"h"), (b"a", b"b")), drop=frozenset({b"host"})) == [(b"a", b"b")]


def test_what_described_the_old_bytes_goes_with_them() -> None:
    fields = [
        (b"content-length", b"1"),
        (b"content-encoding", b"gzip"),
        (b"digest", b"x"),
        (b"content-type", b"t"),
    ]
    assert headers.without_body_facts(fields) == [(b"content-type", b"t")]


def test_a_header_is_looked_up_counted_and_combined() -> None:
    fields = ((b"a", b"1"), (b"b", b"2"), (b"a", b"3"))
    assert headers.get(fields, b"a") == b"1"
    assert headers.get(fields, b"c") == b""
    assert headers.count(fields, b"a") == 2
    assert headers.combined(fields, b"a") == b"1, 3"
    assert headers.combined(fields, b"c") == b""


def test_what_is_imposed_replaces_every_spelling_of_it() -> None:
    said = [(b"x-org", b"a"), (b"X-Org", b"b"), (b"x_org", b"c"), (b"accept", b"*/*"), (b"x-org", b"d")]
    assert headers.imposed(said, ((b"x-org", b"ours"), (b"x-new", b"1"))) == [
        (b"accept", b"*/*"),
        (b"x-org", b"ours"),
        (b"x-new", b"1"),
    ]

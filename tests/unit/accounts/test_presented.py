"""Keys are found wherever clients put them, and never travel on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.accounts.keys import new_key
from agent.accounts.presented import find, query_without_keys, without_keys

KEY = new_key()
RAW = KEY.encode()
OTHER = (b"content-type", b"application/json")
THEIRS = (b"authorization", b"Bearer sk-proj-abc")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"authorization", b"Bearer " + RAW),
        (b"authorization", b"bearer   " + RAW + b" "),
        (b"authorization", RAW),  # without its scheme: nor may it travel on so
        (b"x-api-key", RAW),
        (b"x-goog-api-key", RAW),
        (b"api-key", RAW),
        (b"x-drawbridge-key", RAW),
    ],
)
def test_a_key_is_found_in_every_header_and_taken_out(name: bytes, value: bytes) -> None:
    found = find([OTHER, (name, value)])
    assert found is not None
    assert (found.value, found.place) == (KEY, name.decode())
    assert without_keys([OTHER, (name, value)]) == [OTHER]


@pytest.mark.parametrize(
    "header",
    [THEIRS, (b"x-api-key", b"sk-ant-x"), (b"authorization", b"Basic x"), (b"authorization", b""), OTHER],
)
def test_what_is_no_key_of_ours_stays(header: tuple[bytes, bytes]) -> None:
    assert find([header]) is None
    assert without_keys([header]) == [header]


def test_our_own_header_wins_and_a_providers_key_beside_it_stays() -> None:
    second = new_key()
    headers = [THEIRS, (b"x-api-key", RAW), (b"x-drawbridge-key", second.encode())]
    found = find(headers)
    assert found is not None
    assert found.value == second
    assert without_keys(headers) == [THEIRS]


def test_whatever_stands_in_our_own_header_is_a_key() -> None:
    found = find([(b"x-drawbridge-key", b"\xff nonsense")])
    assert found is not None
    assert without_keys([(b"x-drawbridge-key", b"")]) == []


def test_a_key_in_the_query_is_found_and_taken_out() -> None:
    for query in (b"alt=sse&key=" + RAW, b"alt=sse&k%65y=sk%2Ddb-" + RAW[6:]):
        found = find([OTHER], query)
        assert found is not None
        assert (found.value, found.place) == (KEY, "?key")
        assert query_without_keys(query) == b"alt=sse"
    assert query_without_keys(b"key=AIzaX&a=%20&&b") == b"key=AIzaX&a=%20&&b"
    assert query_without_keys(b"a=b") == b"a=b"
    assert find([], b"key=AIzaX") is None


def test_a_key_is_in_no_repr() -> None:
    assert KEY not in repr(find([(b"x-api-key", RAW)]))


@given(
    st.lists(st.sampled_from([OTHER, THEIRS, (b"x-api-key", RAW), (b"api-key", b"x"), (b"cookie", b"a")])),
    st.lists(st.sampled_from([b"a=b", b"key=" + RAW, b"key=x", b"", b"monkey=" + RAW])),
)
def test_nothing_of_ours_is_left_and_all_else_is(
    headers: list[tuple[bytes, bytes]], parts: list[bytes]
) -> None:
    left, query = without_keys(headers), query_without_keys(b"&".join(parts))
    assert find(left, query) is None
    assert left == [each for each in headers if each[1] != RAW]
    assert query.count(b"monkey=") == b"&".join(parts).count(b"monkey=")

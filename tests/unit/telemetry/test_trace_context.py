"""W3C Trace Context, strictly, and x-request-id."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.model.ids import uuid7
from agent.telemetry.trace_context import (
    accept,
    child_of,
    chosen,
    is_sampled,
    outgoing,
    request_id,
    resumed,
    span_of,
)

ID = uuid7(1_790_000_000.0)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def parent(value: str) -> tuple[bytes, bytes]:
    return b"traceparent", value.encode()


def test_the_clients_trace_goes_on() -> None:
    context = accept([parent(PARENT), (b"tracestate", b"vendor=1")], exchange_id=ID)
    assert (context.trace_id, context.parent_id, context.sampled) == (TRACE, SPAN, True)
    assert context.span_id == span_of(ID)
    assert context.traceparent == PARENT
    [(_, sent), state] = outgoing(context)
    assert sent.decode().split("-") == ["00", TRACE, child_of(context.span_id, 0), "01"]
    assert state == (b"tracestate", b"vendor=1")


def test_without_one_a_trace_begins_here() -> None:
    context = accept([], exchange_id=ID)
    assert context.trace_id == UUID(ID).hex
    assert (context.parent_id, context.traceparent, context.state) == ("", "", "")
    assert len(outgoing(context)) == 1


@pytest.mark.parametrize(
    "value",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"0x-{TRACE}-{SPAN}-01",
        f" {PARENT}",
        f"00-{TRACE}-{SPAN}-zz",
    ],
)
def test_a_malformed_trace_is_as_none(value: str) -> None:
    context = accept([parent(value), (b"tracestate", b"vendor=1")], exchange_id=ID)
    assert context == accept([], exchange_id=ID)


def test_two_parents_are_none() -> None:
    assert accept([parent(PARENT), parent(PARENT)], exchange_id=ID).parent_id == ""


def test_a_later_version_may_say_more() -> None:
    assert accept([parent(f"01-{TRACE}-{SPAN}-01-more")], exchange_id=ID).trace_id == TRACE


def test_the_client_decides_about_its_own_trace_and_the_ratio_about_ours() -> None:
    unsampled = accept([parent(PARENT[:-1] + "0")], exchange_id=ID, sample_ratio=1.0)
    assert not unsampled.sampled
    assert outgoing(unsampled)[0][1].endswith(b"-00")
    assert accept([parent(PARENT)], exchange_id=ID, sample_ratio=0.0).sampled
    assert not accept([], exchange_id=ID, sample_ratio=0.0).sampled


def test_the_ratio_takes_about_its_part() -> None:
    ids = [UUID(uuid7(number)).hex for number in range(2000)]
    assert 400 < sum(chosen(each, 0.25) for each in ids) < 600
    assert all(chosen(each, 1.0) for each in ids)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([b"a=1,b=2"], "a=1,b=2"),
        ([b"a=1", b" b=2 , ,c=x y"], "a=1,b=2,c=x y"),
        ([b"tenant@vendor=1"], "tenant@vendor=1"),
        ([b"a=1,a=2"], ""),
        ([b"A=1"], ""),
        ([b"a"], ""),
        ([b"a="], ""),
        ([b"a=b=c"], ""),
        ([b"a=\xe4"], ""),
        ([b"a=" + b"x" * 600], ""),
        ([",".join(f"k{n}=1" for n in range(33)).encode()], ""),
    ],
)
def test_the_state_passes_as_it_came_or_not_at_all(values: list[bytes], state: str) -> None:
    context = accept([parent(PARENT), *((b"tracestate", each) for each in values)], exchange_id=ID)
    assert context.state == state


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_nothing_that_is_sent_on_can_break_a_header(given_parent: bytes, state: bytes) -> None:
    context = accept([(b"traceparent", given_parent), (b"tracestate", state)], exchange_id=ID)
    for _, value in outgoing(context):
        assert not set(value) & {0, 10, 13}


def test_the_record_is_enough_to_find_the_ids_again() -> None:
    context = accept([parent(PARENT)], exchange_id=ID)
    assert resumed(context.traceparent, exchange_id=ID) == context


@given(st.integers(0, 2**40), st.sampled_from(["", PARENT, PARENT[:-1] + "0"]), st.floats(0, 1))
def test_the_short_way_to_ask_says_the_same(number: int, sent: str, ratio: float) -> None:
    own = uuid7(number / 1000)
    context = resumed(sent, exchange_id=own, sample_ratio=ratio)
    assert is_sampled(context.traceparent, exchange_id=own, sample_ratio=ratio) == context.sampled


def test_children_have_ids_of_their_own() -> None:
    ids = {child_of(span_of(ID), number) for number in range(-1, 1002)}
    assert len(ids) == 1003
    assert child_of("0" * 16, -1) != "0" * 16


@pytest.mark.parametrize("value", [b"abc-123", b"a" * 128, b"req_01:x/y+z=@."])
def test_a_request_id_that_can_be_shown_is_kept(value: bytes) -> None:
    assert request_id([(b"x-request-id", value)], exchange_id=ID) == value.decode()


@pytest.mark.parametrize("value", [b"", b"a" * 129, b"a b", b"a\r\nset-cookie: x", b"\xc3\xa4", b"<x>", b'"'])
def test_any_other_is_replaced_by_the_exchanges_id(value: bytes) -> None:
    assert request_id([(b"x-request-id", value)], exchange_id=ID) == ID
    assert request_id([(b"x-request-id", b"a"), (b"x-request-id", b"b")], exchange_id=ID) == ID

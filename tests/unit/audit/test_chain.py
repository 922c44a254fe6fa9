"""The chain: whatever is done to it, the walk finds it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audit.chain import (
    DroppedRange,
    Head,
    Json,
    Link,
    ProblemKind,
    canonical,
    fingerprint,
    genesis,
    verify,
)

CHAIN = "device/epoch"
LENGTH = 8


def make_link(seq: int, previous: bytes, *, chat: str = "", kind: str = "exchange") -> Link:
    facts: Json = {"kind": kind, "chat": chat}
    body = canonical({"metadata": {"sequence": seq}, "message": "cut", "unmapped": {"drawbridge": facts}})
    return Link(seq=seq, previous=previous, fingerprint=fingerprint(previous, body), body=body)


def make_chain(length: int = LENGTH) -> list[Link]:
    links: list[Link] = []
    for seq in range(1, length + 1):
        links.append(make_link(seq, links[-1].fingerprint if links else genesis(CHAIN)))
    return links


def head_of(links: list[Link]) -> Head:
    return Head(chain_uid=CHAIN, seq=links[-1].seq, fingerprint=links[-1].fingerprint)


def found(
    links: list[Link], head: Head | None = None, dropped: tuple[DroppedRange, ...] = ()
) -> tuple[str, int] | None:
    problem = verify(links, chain_uid=CHAIN, head=head, dropped=dropped).problem
    return None if problem is None else (problem.kind, problem.seq)


def test_an_untouched_chain_holds() -> None:
    links = make_chain()
    verdict = verify(links, chain_uid=CHAIN, head=head_of(links))
    assert (verdict.events, verdict.last_seq, verdict.problem) == (LENGTH, LENGTH, None)
    assert found([]) is None


def test_a_chain_may_be_newer_than_its_head_record() -> None:
    links = make_chain()
    assert found(links, head_of(links[:3])) is None


@given(place=st.integers(0, LENGTH - 1), byte=st.integers(0), mask=st.integers(1, 255))
def test_any_changed_byte_is_found_where_it_is(place: int, byte: int, mask: int) -> None:
    links = make_chain()
    body = bytearray(links[place].body)
    body[byte % len(body)] ^= mask
    links[place] = replace(links[place], body=bytes(body))
    problem = found(links, head_of(make_chain()))
    assert problem is not None
    assert problem[1] == place + 1
    assert problem[0] in ("changed", "reordered")  # a byte of the number itself moves the event


@given(first=st.integers(1, LENGTH), count=st.integers(1, LENGTH))
def test_removed_events_are_found_in_the_middle_and_at_the_end(first: int, count: int) -> None:
    links = make_chain()
    head = head_of(links)
    left = [link for link in links if not first <= link.seq < first + count]
    kind = "removed" if first + count <= LENGTH else "truncated"
    assert found(left, head) == (kind, first)


@given(st.permutations(range(LENGTH)))
def test_events_in_another_order_are_found(order: list[int]) -> None:
    links = make_chain()
    moved = [replace(links[place], seq=seq) for seq, place in enumerate(order, start=1)]
    if order == list(range(LENGTH)):
        assert found(moved) is None
    else:
        first = next(seq for seq, place in enumerate(order, start=1) if place != seq - 1)
        assert found(moved) == ("reordered", first)


@given(place=st.integers(0, LENGTH - 1))
def test_an_event_written_anew_with_a_right_fingerprint_breaks_the_next_link(place: int) -> None:
    links = make_chain()
    head = head_of(links)
    links[place] = make_link(place + 1, links[place].previous, chat="forged")
    # the forged event itself looks sound: its successor, or at the end the head record, contradicts it
    assert found(links, head) == ("changed", min(place + 2, LENGTH))


def test_a_removed_event_does_not_go_unnoticed_when_the_rest_is_renumbered() -> None:
    links = make_chain()
    rest = links[:2] + [replace(link, seq=link.seq - 1) for link in links[3:]]
    assert found(rest) == ("reordered", 3)


def test_an_inserted_event_is_found() -> None:
    links = make_chain()
    extra = make_link(4, links[2].fingerprint, chat="planted")
    assert found([*links[:3], extra, *(replace(link, seq=link.seq + 1) for link in links[3:])]) == (
        "reordered",
        5,
    )


def test_events_of_another_chain_do_not_fit() -> None:
    assert verify(make_chain(), chain_uid="device/other").problem is not None


def test_a_store_that_was_replaced_contradicts_the_head_record() -> None:
    other = Head(chain_uid="device/before", seq=900, fingerprint=b"x" * 32)
    assert found(make_chain(), other) == ("truncated", 1)


def test_a_cut_that_the_agent_itself_noticed_is_reported_for_good() -> None:
    links = make_chain(3)
    links.append(make_link(4, links[-1].fingerprint, kind="audit.truncated"))
    links.append(make_link(5, links[-1].fingerprint))
    assert found(links) == ("truncated", 4)


def test_what_is_kept_beside_an_event_must_agree_with_it() -> None:
    links = make_chain()
    links[4] = replace(links[4], index_agrees=False)
    assert found(links) == ("changed", 5)


@given(first=st.integers(1, 6), count=st.integers(1, 3), split=st.integers(0, 2))
def test_dropped_ranges_are_passed_and_counted(first: int, count: int, split: int) -> None:
    links = make_chain()
    last = min(first + count - 1, LENGTH - 1)
    middle = min(first + split, last)
    ranges = [range_of(links, first, middle)] + ([range_of(links, middle + 1, last)] if middle < last else [])
    left = [link for link in links if not first <= link.seq <= last]
    verdict = verify(left, chain_uid=CHAIN, dropped=ranges, head=head_of(links))
    assert (verdict.problem, verdict.dropped, verdict.events) == (
        None,
        last - first + 1,
        LENGTH - (last - first + 1),
    )


def range_of(links: list[Link], first: int, last: int) -> DroppedRange:
    return DroppedRange(
        first=first, last=last, previous=links[first - 1].previous, fingerprint=links[last - 1].fingerprint
    )


def test_more_missing_than_was_dropped_is_removal() -> None:
    links = make_chain()
    left = links[:2] + links[5:]
    assert found(left, dropped=(range_of(links, 3, 4),)) == ("removed", 5)
    assert found(left, dropped=(range_of(links, 2, 5),)) == ("removed", 3)


def test_a_dropped_range_with_other_fingerprints_covers_nothing() -> None:
    links = make_chain()
    left = links[:2] + links[4:]
    wrong_before = replace(range_of(links, 3, 4), previous=b"\0" * 32)
    wrong_after = replace(range_of(links, 3, 4), fingerprint=b"\0" * 32)
    assert found(left, dropped=(wrong_before,)) == ("removed", 3)
    assert found(left, dropped=(wrong_after,)) == ("changed", 5)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"metadata":1}', b'{"metadata":{"sequence":"1"}}']
)
def test_a_body_that_is_no_event_is_a_problem_not_a_crash(body: bytes) -> None:
    previous = genesis(CHAIN)
    link = Link(seq=1, previous=previous, fingerprint=fingerprint(previous, body), body=body)
    assert found([link]) is not None


def jcs(value: Json) -> str:
    """RFC 8785, written down naively, for documents without floats."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case int():
            return str(value)
        case str():
            short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
            return (
                '"'
                + "".join(short.get(ord(c), f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value)
                + '"'
            )
        case list():
            return "[" + ",".join(map(jcs, value)) + "]"
        case dict():
            ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
            return "{" + ",".join(f"{jcs(key)}:{jcs(inner)}" for key, inner in ordered) + "}"


KEYS = st.text(st.characters(codec="ascii"), max_size=4)
DOCUMENTS: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS)
def test_the_canonical_form_is_that_of_rfc_8785(document: Json) -> None:
    assert canonical(document).decode() == jcs(document)


@pytest.mark.parametrize("value", [2**53, "\ud800"])
def test_what_has_no_canonical_form_is_refused(value: Json) -> None:
    with pytest.raises(TypeError):
        canonical({"a": value})


def test_problems_name_their_kind_in_words() -> None:
    assert [kind.value for kind in ProblemKind] == ["changed", "removed", "reordered", "truncated"]

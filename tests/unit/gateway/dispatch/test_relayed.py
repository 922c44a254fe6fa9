"""Relayed answers: held pieces first, then the rest, and one report."""

from __future__ import annotations

import pytest

from agent.errors import UpstreamError
from agent.gateway.dispatch.relayed import Relayed
from agent.gateway.transport.base import FailureKind, TransportError
from tests.fakes.dispatch import read
from tests.fakes.upstream import SSE, FakeResponse, Piece

LOST = TransportError(FailureKind.CLOSED, "lost", sent=True)


class Reports:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.made: list[tuple[int, UpstreamError | None]] = []

    def __call__(self, pieces: int, error: UpstreamError | None) -> None:
        self.made.append((pieces, error))


def relayed(*rest: Piece, held: tuple[bytes, ...] = (b"a", b"b")) -> tuple[Relayed, FakeResponse, Reports]:
    response, reports = FakeResponse(*rest, status=201, headers=SSE), Reports()
    return Relayed(response, list(held), aiter(response), reports, stall=5.0), response, reports


async def test_all_of_it_comes_in_order() -> None:
    answer, _, reports = relayed(b"c", b"d")
    assert (answer.status, answer.headers, answer.http_version, answer.reason) == (201, SSE, "1.1", b"")
    assert [piece async for piece in answer.chunks()] == [b"a", b"b", b"c", b"d"]
    assert reports.made == [(2, None)]
    assert [piece async for piece in answer] == []
    await answer.aclose()
    assert reports.made == [(2, None)]
    assert answer.trailers == ()


async def test_a_break_is_handed_on_and_reported() -> None:
    answer, _, reports = relayed(b"c", LOST)
    for expected in (b"a", b"b", b"c"):
        assert await anext(answer) == expected
    with pytest.raises(TransportError, match="lost"):
        await anext(answer)
    assert reports.made == [(1, LOST)]


async def test_who_closes_gets_no_more() -> None:
    answer, response, reports = relayed(b"c")
    assert await anext(answer) == b"a"
    await answer.aclose()
    assert await read(answer) == b""
    assert response.closed
    assert reports.made == [(0, None)]


async def test_what_is_held_may_be_all() -> None:
    reports = Reports()
    answer = Relayed(FakeResponse(), [b"all"], None, reports, stall=1.0, headers=((b"x", b"y"),))
    assert answer.headers == ((b"x", b"y"),)
    assert await read(answer) == b"all"
    assert reports.made == [(0, None)]

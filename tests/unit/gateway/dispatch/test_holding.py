"""Holding back: what commits, what does not, and how much is held at most."""

from __future__ import annotations

import asyncio
import gzip
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gateway.dispatch.holding import MAX_BYTES, MAX_CHUNKS, MAX_WHOLE, Held, hold
from agent.gateway.transport.base import Headers, TransportError
from agent.routing.failures import Cause
from tests.fakes.dispatch import END, START, ToySource, erred, said
from tests.fakes.upstream import JSON, SSE, FakeResponse

PART = b"data: part\n\n"


async def held(*pieces: bytes, headers: Headers = SSE, stream: bool = True) -> Held:
    return await hold(FakeResponse(*pieces, headers=headers), ToySource() if stream else None)


@pytest.mark.parametrize(
    "event", [said("x"), b"data: tool search\n\n", b"data: finish length\n\n", b"data: finish filtered\n\n"]
)
async def test_content_commits(event: bytes) -> None:
    found = await held(START, PART, event, said("more"), END)
    assert found.failure is None
    assert found.chunks == [START, PART, event]
    assert found.rest is not None
    assert [piece async for piece in found.rest] == [said("more"), END]


@pytest.mark.parametrize(
    ("pieces", "cause"),
    [
        ([START, PART, erred("overloaded_error")], Cause.OVERLOADED),
        ([START + PART + erred("server_error") + said("x")], Cause.SERVER),
        ([START, PART, END], Cause.EMPTY),
        ([START, said(""), b"data: finish stop\n\n", END], Cause.EMPTY),
        ([START, b"data: finish failed\n\n", END], Cause.EMPTY),
        ([START, PART], Cause.CLOSED),
        ([], Cause.CLOSED),
    ],
)
async def test_what_only_announces_does_not(pieces: list[bytes], cause: Cause) -> None:
    failure = (await held(*pieces)).failure
    assert failure is not None
    assert failure.cause is cause
    assert "the provider's own words" not in failure.message


async def test_an_error_after_content_is_for_the_client() -> None:
    found = await held(START + said("x") + erred("overloaded_error"))
    assert found.failure is None


async def test_no_more_is_held_than_is_bearable() -> None:
    assert len((await held(*[PART] * 200)).chunks) == MAX_CHUNKS
    large = b"x" * 100_000
    found = await held(large, large, large, large)
    assert MAX_BYTES <= sum(map(len, found.chunks)) < MAX_BYTES + len(large)
    assert found.failure is None


async def test_whole_answers_are_held_whole_unless_they_are_large() -> None:
    found = await held(b'{"a":', b"1}", headers=JSON, stream=False)
    assert (found.chunks, found.rest, found.streamed) == ([b'{"a":', b"1}"], None, False)
    half = b"x" * (MAX_WHOLE // 2 + 1)
    assert (await held(half, half, b"y", headers=JSON, stream=False)).rest is not None
    assert (await held(b"RIFF", headers=((b"content-type", b"audio/wav"),), stream=False)).chunks == []


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b'{"error":{"code":429,"message":"x"}}', Cause.RATE_LIMITED),
        (b' {"type":"error","error":{"type":"overloaded_error"}}', Cause.OVERLOADED),
        (b'{"error":{"code":"context_length_exceeded"}}', Cause.TOO_LONG),
        (b'{"error":{"status":"UNAVAILABLE"}}', Cause.OVERLOADED),
        (b'{ "type": "error", "error": {"type": "api_error"}}', Cause.SERVER),
        (b'{"error":{}}', Cause.SERVER),
        (b'{"error":null,"id":"x"}', None),
        (b'{"error":"x', Cause.PROTOCOL),  # half of an answer
        (b'{"error_count":0}', None),
    ],
)
async def test_an_error_in_a_whole_answer_is_seen(body: bytes, cause: Cause | None) -> None:
    failure = (await held(body, headers=JSON)).failure  # also where a stream was asked for
    assert (None if failure is None else failure.cause) is cause


async def test_compressed_streams_are_read_and_kept_as_they_came() -> None:
    packed = gzip.compress(START + said("x"))
    found = await held(packed, headers=(*SSE, (b"content-encoding", b"gzip")))
    assert (found.failure, found.chunks) == (None, [packed])
    broken = await held(b"no gzip", headers=(*SSE, (b"content-encoding", b"gzip")))
    assert broken.failure is not None
    assert broken.failure.cause is Cause.PROTOCOL


STREAMS = [
    START + PART + said("hello") + END,
    START + PART + erred("rate_limit_error"),
    START + PART + END,
    START + PART[:7],
]


@given(st.sampled_from(STREAMS), st.sets(st.integers(1, 60), max_size=20))
def test_cutting_changes_nothing(stream: bytes, cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(places) if start < end]
    whole, cut = asyncio.run(held(stream)), asyncio.run(held(*pieces))
    assert (whole.failure is None) == (cut.failure is None)
    if whole.failure is not None and cut.failure is not None:
        assert whole.failure.cause is cut.failure.cause


@pytest.mark.parametrize("body", [b"", b'{"choices":[{"mess', b"<html>busy</html>", b'"x"'])
async def test_a_whole_answer_that_is_not_whole_has_failed(body: bytes) -> None:
    failure = (await held(body, headers=JSON, stream=False)).failure
    assert failure is not None
    assert failure.cause is Cause.PROTOCOL


async def test_what_cannot_be_looked_into_is_taken_for_whole() -> None:
    packed = (*JSON, (b"content-encoding", b"gzip"))
    assert (await held(gzip.compress(b"{}"), headers=packed, stream=False)).failure is None
    assert (await held(b"[] \n", headers=JSON, stream=False)).failure is None


@pytest.mark.parametrize("kind", [SSE, JSON])
async def test_silence_ends_the_wait(kind: Headers) -> None:
    response = FakeResponse(START, asyncio.Event(), headers=kind)
    with pytest.raises(TransportError, match="fell silent"):
        await hold(response, ToySource(), silence=0.01)

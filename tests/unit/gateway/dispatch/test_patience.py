"""Patience: the provider's silence is counted, the client's is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from agent.gateway.dispatch.patience import Deadline, Patience, Patiently, Stalled
from agent.gateway.transport.base import FailureKind, TransportError
from tests.fakes.http_server import Clock


async def silent() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def quick() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b"x"


async def test_silence_ends_it(clock: Clock) -> None:
    waiting = asyncio.create_task(Patience(10).next(silent()))
    await asyncio.sleep(0)
    await clock.advance(9)
    assert not waiting.done()
    await clock.advance(2)
    with pytest.raises(Stalled):
        await waiting


async def test_each_piece_begins_the_wait_anew(clock: Clock) -> None:
    patience, pieces = Patience(10), quick()
    for _ in range(5):
        assert await patience.next(pieces) == b"x"
        await clock.advance(9)
    patience.close()


async def test_a_client_that_takes_its_time_is_no_silence(clock: Clock) -> None:
    patience, pieces = Patience(10), quick()
    await patience.next(pieces)
    await clock.advance(1000)
    assert await patience.next(pieces) == b"x"
    patience.close()
    patience.close()


async def test_who_is_cancelled_is_cancelled(clock: Clock) -> None:
    waiting = asyncio.create_task(Patience(10).next(silent()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_deadline_outside_keeps_its_meaning(clock: Clock) -> None:
    async def wait() -> None:
        async with asyncio.timeout(5):
            await Patience(10).next(silent())

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await clock.advance(6)
    with pytest.raises(TimeoutError):
        await waiting


# Deadlines of a block


async def test_a_block_may_take_so_long(clock: Clock) -> None:
    async def take() -> str:
        with Deadline(10):
            await asyncio.Event().wait()
        return "never"

    waiting = asyncio.create_task(take())
    await asyncio.sleep(0)
    await clock.advance(9)
    assert not waiting.done()
    await clock.advance(2)
    with pytest.raises(Stalled):
        await waiting


async def test_a_block_in_time_is_not_disturbed(clock: Clock) -> None:
    with Deadline(10):
        await asyncio.sleep(0)
    await clock.advance(20)


async def test_a_block_that_is_cancelled_from_outside_is_cancelled(clock: Clock) -> None:
    async def take() -> None:
        with Deadline(10):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(take())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_block_that_ends_just_as_its_time_does_has_ended(clock: Clock) -> None:
    inner = Deadline(10)
    with inner:
        inner._expire()  # between the last await and the end
    await asyncio.sleep(0)  # the cancellation was taken back


async def test_a_provider_that_falls_silent_has_failed(clock: Clock) -> None:
    pieces = Patiently(silent(), 10)
    waiting = asyncio.create_task(anext(pieces))
    await asyncio.sleep(0)
    await clock.advance(11)
    with pytest.raises(TransportError, match="fell silent") as caught:
        await waiting
    assert caught.value.kind is FailureKind.TIMEOUT


async def test_who_is_patient_hears_all(clock: Clock) -> None:
    async def few() -> AsyncIterator[bytes]:
        yield b"a"
        await clock.advance(9)
        yield b"b"

    assert [piece async for piece in Patiently(few(), 10)] == [b"a", b"b"]

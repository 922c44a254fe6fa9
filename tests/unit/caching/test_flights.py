"""Who asks what is being asked already waits for it, within bounds."""

from __future__ import annotations

import asyncio

from agent.caching.flights import Flights


async def test_the_first_one_asks_and_the_others_wait_until_it_has_ended() -> None:
    flights = Flights()
    assert flights.begin(b"q")
    assert not flights.begin(b"q")
    assert flights.begin(b"other")
    waiting = [asyncio.create_task(flights.wait(b"q", 60)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # that one gave up; the flight goes on
    await asyncio.sleep(0)
    assert not waiting[1].done()
    flights.end(b"q")
    flights.end(b"q")
    await asyncio.wait_for(asyncio.gather(*waiting[1:]), 5)
    assert len(flights) == 1
    assert flights.begin(b"q")


async def test_a_wait_has_an_end_and_where_nobody_asks_there_is_none() -> None:
    flights = Flights()
    await asyncio.wait_for(flights.wait(b"q", 60), 5)
    flights.begin(b"q")
    await asyncio.wait_for(flights.wait(b"q", 0.01), 5)
    assert not flights.begin(b"q")

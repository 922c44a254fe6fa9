"""A node says that it is ready while it is, and nothing else about itself."""

from __future__ import annotations

import pytest

from agent.central.readiness import DRAIN_PATH, HEALTH_PATH, READY_PATH, Readiness, node_pages


class House:
    """A node's pages, a store that can go away, and a clock."""

    def __init__(self) -> None:
        self.there = True
        self.looks = 0
        self.drained = 0
        self.now = 0.0
        self.readiness = Readiness(self._reachable, clock=lambda: self.now)
        self.pages = node_pages(self.readiness, self._drain)

    async def ask(self, path: str, *, owner: bool = False) -> tuple[int, bytes]:
        status, _, body = await self.pages[path].answer(b"", b"", owner=owner)
        return status, body

    async def _reachable(self) -> bool:
        self.looks += 1
        return self.there

    def _drain(self) -> None:
        self.drained += 1


@pytest.fixture
def house() -> House:
    return House()


async def test_ready_from_the_start_to_the_drain(house: House) -> None:
    assert await house.ask(READY_PATH) == (503, b"starting\n")
    house.readiness.open()
    assert await house.ask(READY_PATH) == (200, b"ready\n")
    house.readiness.drain()
    assert await house.ask(READY_PATH) == (503, b"draining\n")
    assert await house.ask(HEALTH_PATH) == (200, b"ok\n")


async def test_not_ready_without_the_shared_store_which_is_not_asked_for_each(house: House) -> None:
    house.readiness.open()
    await house.ask(READY_PATH)
    house.there = False
    assert await house.ask(READY_PATH) == (200, b"ready\n")
    assert house.looks == 1
    house.now = 1.0
    assert await house.ask(READY_PATH) == (503, b"shared accounts unreachable\n")
    house.there, house.now = True, 2.0
    assert await house.ask(READY_PATH) == (200, b"ready\n")


async def test_only_who_knows_the_token_may_drain(house: House) -> None:
    assert (await house.ask(DRAIN_PATH))[0] == 401
    assert house.drained == 0
    assert (await house.ask(DRAIN_PATH, owner=True))[0] == 202
    assert house.drained == 1

"""What a round comes to, with somebody who can start another engine and without."""

from __future__ import annotations

from typing import cast

import pytest

from agent.upkeep.company_way import CompanyWay
from agent.upkeep.rounds import Rounds
from agent.upkeep.state import StateKeeper


class Seen:
    """Rounds over a way and a state that look as told, and what they had done."""

    def __init__(
        self, *, led: bool = False, moved: bool = False, put_back: bool = False, supervised: bool = True
    ) -> None:
        self.done: list[str] = []
        self.moved = moved
        self._led = led
        self.rounds = Rounds(
            cast("CompanyWay", self),
            cast("StateKeeper", State(put_back)),
            another=(lambda: self.done.append("another")) if supervised else None,
            led_elsewhere=lambda: self.done.append("led"),
        )

    async def look(self) -> bool:
        return self._led


class State:
    """A state that was put back, or not."""

    def __init__(self, put_back: bool) -> None:
        self._put_back = put_back

    async def look(self) -> bool:
        return self._put_back


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        (Seen(), []),
        (Seen(led=True), ["led"]),
        (Seen(led=True, moved=True), ["another", "led"]),
        (Seen(led=True, moved=True, supervised=False), ["led"]),
        (Seen(put_back=True), ["another"]),
        (Seen(put_back=True, supervised=False), []),
    ],
)
async def test_a_round_has_done_what_it_saw(seen: Seen, done: list[str]) -> None:
    await seen.rounds.look()
    assert seen.done == done

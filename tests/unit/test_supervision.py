"""The engine's side: it tells of itself, and obeys."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from agent.assembly import Assembly
from agent.host.beats import REPLACE, parse_beat
from agent.host.offspring import Parent
from agent.model.record import IncidentKind
from agent.supervision import Supervision
from tests.fakes.loopback import until


class Above:
    """A parent that remembers what it was told, and gives orders."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.order: Callable[[str], None] = lambda _: None
        self.leave: Callable[[], None] = lambda: None

    def say(self, line: bytes) -> None:
        self.heard.append(line)

    def listen(self, hear: Callable[[str], None], orphaned: Callable[[], None]) -> None:
        self.order, self.leave = hear, orphaned


class Shared:
    """As much of an assembly as is asked."""

    server = None

    def __init__(self) -> None:
        self.noted: list[tuple[IncidentKind, str]] = []

    async def note(self, kind: IncidentKind, message: str, detail: object = ()) -> None:
        self.noted.append((kind, message))


async def test_it_tells_of_itself_from_the_start_and_obeys() -> None:
    above, shared, done = Above(), Shared(), list[str]()
    supervision = Supervision(cast("Parent", above), lambda: done.append("stop"))
    await until(lambda: above.heard != [])
    first = parse_beat(above.heard[0])
    assert first is not None
    assert not first.ready
    assert first.memory > 10 * 2**20
    above.order("reload")  # too early: there is nothing yet
    supervision.serves(cast("Assembly", shared), lambda: done.append("reload"))
    await until(lambda: (last := parse_beat(above.heard[-1])) is not None and last.ready)
    above.order("reload")
    assert not supervision.guarding.is_set()
    above.order("guarding")
    assert supervision.guarding.is_set()
    assert supervision.deaths == 0
    above.order("deaths 4")
    above.order("deaths x")
    assert supervision.deaths == 4
    above.order("away 3 1")
    await until(lambda: shared.noted != [])
    assert shared.noted[0][0] is IncidentKind.BYPASS
    assert "3 connections passed unseen and 1 were refused" in shared.noted[0][1]
    supervision.ask_for_another()
    assert above.heard[-1] == REPLACE
    assert parse_beat(REPLACE) is None
    above.order("dance")
    above.order("stop")
    above.leave()
    assert done == ["reload", "stop", "stop"]
    await supervision._tasks.cancel()

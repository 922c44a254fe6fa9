"""What appears on a machine is reported once, and once more when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from agent.errors import HostError
from agent.gateway import discoveries
from agent.gateway.discoveries import AWAY_SECONDS, MAX_TOLD, Discoveries, facts, told
from agent.host.inventory_file import Kept
from agent.model.inventory import Found, FoundKind, Inventory
from agent.model.record import IncidentKind
from agent.policy.discovery import Discovery
from tests.fakes.audit import FakeAudit
from tests.fakes.loopback import until

CODEX = Found(kind=FoundKind.COMMAND, id="codex", name="Codex", version="1", user="ann", place="/x")
OLLAMA = Found(kind=FoundKind.MODEL_SERVER, id="ollama", name="Ollama", port=11434, models=("a", "b"))
FILES = Found(kind=FoundKind.MCP_SERVER, id="cursor", name="files", host="Cursor", transport="stdio")
NEW, GONE = IncidentKind.INVENTORY_FIRST_SEEN, IncidentKind.INVENTORY_GONE


class Shelf:
    """Implements `InventoryStore` in memory."""

    def __init__(self) -> None:
        self.kept: tuple[Kept, ...] = ()
        self.unreadable = self.full = False

    def read(self) -> tuple[Kept, ...]:
        if self.unreadable:
            raise HostError("damaged")
        return self.kept

    def write(self, kept: Iterable[Kept]) -> None:
        if self.full:
            raise HostError("the disk is full")
        self.kept = tuple(kept)


class Machine:
    """A machine whose inventory a test gives, and what watches it."""

    def __init__(self) -> None:
        self.audit, self.shelf = FakeAudit(), Shelf()
        self.now = 1_000_000.0
        self.looks = 0
        self.taken = Inventory()
        self.section = Discovery()
        self.watch = Discoveries(self.audit, self.shelf, self.take, lambda: self.section, lambda: self.now)

    def take(self) -> Inventory:
        self.looks += 1
        return self.taken

    async def has(self, *found: Found, unread: tuple[str, ...] = ()) -> list[tuple[IncidentKind, str]]:
        """What is reported when this is there now."""
        self.audit.events.clear()
        self.taken = Inventory(found=found, unread=unread)
        await self.watch.look()
        return [(each.kind, dict(each.detail)["name"]) for each in self.audit.incidents]


async def test_only_what_has_changed_is_reported() -> None:
    machine = Machine()
    assert await machine.has(CODEX, FILES) == [(NEW, "Codex"), (NEW, "files")]
    assert await machine.has(CODEX, FILES) == []
    assert await machine.has(replace(CODEX, version="2", place="/y"), FILES) == []
    assert await machine.has(CODEX) == [(GONE, "files")]
    machine.now += 5
    assert await machine.has(CODEX, FILES) == [(NEW, "files")]
    times = {each.found.name: (each.first_seen, each.last_seen) for each in machine.shelf.kept}
    assert times == {"Codex": (1_000_000.0, 1_000_005.0), "files": (1_000_005.0, 1_000_005.0)}


async def test_what_is_in_a_home_that_could_not_be_read_is_not_gone() -> None:
    machine = Machine()
    await machine.has(CODEX)
    assert await machine.has(unread=("ann",)) == []
    assert await machine.has() == [(GONE, "Codex")]


async def test_a_server_that_does_not_run_is_gone_after_a_week_only() -> None:
    machine = Machine()
    await machine.has(OLLAMA)
    assert await machine.has() == []
    machine.now += AWAY_SECONDS + 1
    assert await machine.has() == [(GONE, "Ollama")]


async def test_what_cannot_be_kept_is_not_reported_and_told_later() -> None:
    machine = Machine()
    machine.shelf.full = True
    assert await machine.has(CODEX) == []
    machine.shelf.full, machine.shelf.unreadable = False, True
    assert await machine.has(CODEX) == []
    machine.shelf.unreadable = False
    assert await machine.has(CODEX) == [(NEW, "Codex")]
    machine.audit.broken = True
    assert await machine.has(OLLAMA) == []  # a trail that is full stops nothing


async def test_one_look_reports_so_much_and_the_next_the_rest() -> None:
    machine = Machine()
    many = tuple(replace(CODEX, name=f"c{number}") for number in range(MAX_TOLD + 5))
    assert len(await machine.has(*many)) == MAX_TOLD
    assert len(await machine.has(*many)) == 5


async def test_it_looks_after_the_start_and_then_as_often_as_the_policy_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discoveries, "START_SECONDS", 0.0)
    monkeypatch.setattr(discoveries, "STEP_SECONDS", 0.001)
    machine = Machine()
    machine.section = Discovery(enabled=False)
    running = asyncio.create_task(machine.watch.run())
    await asyncio.sleep(0.02)
    assert machine.looks == 0
    machine.section = Discovery(every_hours=2)
    await until(lambda: machine.looks == 1)
    await asyncio.sleep(0.02)
    assert machine.looks == 1
    machine.now += 7201
    await until(lambda: machine.looks == 2)
    machine.taken = None  # type: ignore[assignment]  # a look that fails is not the last
    machine.now += 7201
    await until(lambda: machine.looks == 3)
    machine.now += 7201
    await until(lambda: machine.looks == 4)
    running.cancel()


def test_a_finding_is_told_in_words_and_facts() -> None:
    assert told(CODEX) == "Codex"
    assert told(OLLAMA) == "Ollama on port 11434"
    assert told(FILES) == "the MCP server files of Cursor"
    assert told(replace(CODEX, kind=FoundKind.EDITOR_EXTENSION, host="vscode")) == "Codex in vscode"
    assert dict(facts(OLLAMA)) == {
        "kind": "model_server",
        "id": "ollama",
        "name": "Ollama",
        "port": "11434",
        "models": "a, b",
    }

"""What AI software appears on this machine and what is gone from it, as audit events: never the whole list, only what
has changed. Looks off the loop, once after the start and then as often as the policy says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from agent.errors import AuditError, HostError
from agent.gateway.ports import AuditSink
from agent.host.inventory_file import Kept
from agent.model.ids import uuid7
from agent.model.inventory import Found, FoundKind, Inventory
from agent.model.record import Incident, IncidentKind
from agent.policy.discovery import Discovery

log = logging.getLogger(__name__)

START_SECONDS = 20.0
"""After the start, in which there is other work to do."""

STEP_SECONDS = 300.0
"""How soon a policy that was replaced is heard."""

MAX_TOLD = 200
"""Events of one look. What is new beyond them is told by the next."""

AWAY_SECONDS = 7 * 86_400.0
"""A server of models that was not seen for so long is gone: until then it is only not running."""

type Key = tuple[str, str, str, str, str]


class InventoryStore(Protocol):
    """Keeps what was found. Its methods block and raise HostError."""

    def read(self) -> tuple[Kept, ...]:
        """Everything that is kept."""
        ...

    def write(self, kept: Iterable[Kept]) -> None:
        """Keep this, and nothing else; durable when it returns."""
        ...


class Discoveries:
    """Looks, compares and reports."""

    def __init__(
        self,
        audit: AuditSink,
        store: InventoryStore,
        take: Callable[[], Inventory],
        section: Callable[[], Discovery],
        now: Callable[[], float] = time.time,
    ) -> None:
        """`take` takes the inventory and blocks; `section` is the policy's, `now` in Unix seconds."""
        self._audit = audit
        self._store = store
        self._take = take
        self._section = section
        self._now = now
        self._looked_at = 0.0

    async def run(self) -> None:
        """Look whenever it is time, until cancelled."""
        await asyncio.sleep(START_SECONDS)
        while True:
            section = self._section()
            since = self._now() - self._looked_at
            if section.enabled and not 0 <= since < section.every_hours * 3600:
                self._looked_at = self._now()
                try:
                    await self.look()
                except Exception:  # the next look may fare better; the agent has other work
                    log.exception("the inventory could not be taken")
            await asyncio.sleep(STEP_SECONDS)

    async def look(self) -> None:
        """Take the inventory, and report what is new or gone. What is reported was written to the disk before."""
        try:
            kept = {each.found.key: each for each in await asyncio.to_thread(self._store.read)}
        except HostError as error:
            log.error("the inventory is not taken: %s", error)  # noqa: TRY400  said in full
            return
        inventory = await asyncio.to_thread(self._take)
        now = self._now()
        seen: dict[Key, Found] = {}
        for found in inventory.found:
            seen.setdefault(found.key, found)
        new = [found for key, found in seen.items() if key not in kept][:MAX_TOLD]
        gone = [each.found for each in kept.values() if _is_gone(each, seen, inventory.unread, now)]
        gone = gone[: MAX_TOLD - len(new)]
        for found in gone:
            del kept[found.key]
        for key, found in seen.items():
            if key in kept:
                kept[key] = replace(kept[key], found=found, last_seen=now)
        for found in new:
            kept[found.key] = Kept(found=found, first_seen=now, last_seen=now)
        try:
            await asyncio.to_thread(self._store.write, tuple(kept.values()))
        except HostError as error:
            log.error("what was found is not kept: %s", error)  # noqa: TRY400  said in full
            return
        for found in new:
            await self._report(IncidentKind.INVENTORY_FIRST_SEEN, found, "was found on this machine", now)
        for found in gone:
            await self._report(IncidentKind.INVENTORY_GONE, found, "is gone from this machine", now)

    async def _report(self, kind: IncidentKind, found: Found, what: str, now: float) -> None:
        incident = Incident(
            id=uuid7(now), at=now, kind=kind, message=f"{told(found)} {what}", detail=facts(found)
        )
        try:
            await self._audit.append(incident)
        except AuditError as error:
            log.error("audit event lost: %s", error)  # noqa: TRY400  the cause is in the message


def told(found: Found) -> str:
    """A finding in words."""
    match found.kind:
        case FoundKind.MCP_SERVER:
            return f"the MCP server {found.name} of {found.host}"
        case FoundKind.MODEL_SERVER:
            return f"{found.name} on port {found.port}"
        case _ if found.host:
            return f"{found.name} in {found.host}"
        case _:
            return found.name


def facts(found: Found) -> tuple[tuple[str, str], ...]:
    """A finding as the detail of an event; nothing that is empty."""
    named = (
        ("kind", found.kind.value),
        ("id", found.id),
        ("name", found.name),
        ("version", found.version),
        ("host", found.host),
        ("user", found.user),
        ("place", found.place),
        ("port", str(found.port or "")),
        ("transport", found.transport),
        ("models", ", ".join(found.models)),
    )
    return tuple(each for each in named if each[1])


def _is_gone(kept: Kept, seen: dict[Key, Found], unread: tuple[str, ...], now: float) -> bool:
    found = kept.found
    if found.key in seen or found.user in unread:
        return False
    return found.kind is not FoundKind.MODEL_SERVER or now - kept.last_seen > AWAY_SECONDS

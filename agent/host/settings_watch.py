"""Settings that change while the agent runs: which are in force at once, which wait for a start, which are wrong.

The sources are read again once a minute and whenever somebody asks. Reading them takes less than a millisecond, and
says more than times of files would: a registry has none. Nothing that cannot be carried out replaces what is in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from agent.errors import DrawbridgeError
from agent.host.setting_rows import Effect, Row
from agent.host.settings import Settings, setting_rows

log = logging.getLogger(__name__)

POLL_SECONDS = 60.0

type Apply = Callable[[Settings], Awaitable[bool]]
"""Puts one setting in force; whether it is."""

type Renew = Callable[[Settings], Awaitable[None]]
"""Has a new engine take over. Raises DrawbridgeError where it could not start with these settings."""

_REFUSED = "refused: the value before holds"


def changes(held: Settings, fresh: Settings, rows: Sequence[Row]) -> dict[str, Effect]:
    """The settings that differ, and when the new value takes hold."""
    return {
        row.name: row.key.takes_hold for row in rows if getattr(held, row.name) != getattr(fresh, row.name)
    }


class SettingsWatch:
    """Compares what an agent works with to what its sources say now."""

    def __init__(
        self,
        held: Settings,
        load: Callable[[], Settings],
        *,
        live: Mapping[str, Apply] = MappingProxyType({}),
        renew: Renew | None = None,
    ) -> None:
        """`load` reads the sources again. `live` puts single settings in force; `renew` is there where a supervisor
        is."""
        self._held = held
        self._load = load
        self._live = live
        self._renew = renew
        self._rows = setting_rows()
        self._looking = asyncio.Lock()
        self._pending: dict[str, str] = {}
        self._tried: dict[str, object] = {}
        self._asked: Settings | None = None
        self._error = ""

    def status(self) -> dict[str, object]:
        """What an administrator should know; nothing where all is in force."""
        told: dict[str, object] = {}
        if self._pending:
            told["settings_changed"] = dict(self._pending)
        if self._error:
            told["settings_error"] = self._error
        return told

    async def run(self) -> None:
        """Look now, since ports may be others than those of now, and until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(POLL_SECONDS)

    async def look(self) -> None:
        """Read the sources, put in force what can be, and note the rest."""
        async with self._looking:
            try:
                fresh = await asyncio.to_thread(self._load)
                await self._follow(fresh)
            except DrawbridgeError as error:
                self._complain(f"{error} {error.hint()}".strip())
            else:
                self._error = ""

    async def _follow(self, fresh: Settings) -> None:
        for name in changes(self._held, fresh, self._rows):
            await self._apply(name, fresh)
        found = changes(self._held, fresh, self._rows)
        refused = [name for name in found if name in self._live]
        self._pending = {
            name: _REFUSED if name in refused else effect.value for name, effect in found.items()
        }
        waiting = Effect.ENGINE in found.values()
        # an engine that starts anew reads everything anew: it would die of what was just refused
        if waiting and not refused and self._renew is not None and fresh != self._asked:
            await self._renew(fresh)
            self._asked = fresh
            log.warning("settings have changed (%s): a new engine takes over", ", ".join(found))

    async def _apply(self, name: str, fresh: Settings) -> None:
        if name not in self._live:
            return
        value = getattr(fresh, name)
        seen = await asyncio.to_thread(_sight, value)
        if name in self._tried and self._tried[name] == seen:
            return
        if await self._live[name](fresh):
            self._tried.pop(name, None)
            self._held = replace(self._held, **{name: value})
            log.warning("the setting %s has changed and is in force", name)
        else:
            self._tried[name] = seen  # refused once is enough until it changes

    def _complain(self, error: str) -> None:
        if error != self._error:
            log.error("the settings of now cannot be used, those in force stay: %s", error)
        self._error = error


def _sight(value: object) -> object:
    """A value, and for a path when what is there changed: a setting may arrive before its file. Blocks."""
    if not isinstance(value, Path):
        return value
    times: list[int] = []
    for path in (value, value / "policy.yaml"):
        with suppress(OSError):
            times.append(path.stat().st_mtime_ns)
    return value, tuple(times)

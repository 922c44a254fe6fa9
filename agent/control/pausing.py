"""The pause of a running agent: begins and ends it, keeps it over a restart, and tells who must know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from agent.control import pause as rules_of_pauses
from agent.errors import ConfigError, HostError
from agent.host.pause_file import Pause, read_pause, remove_pause, seconds_up, write_pause
from agent.host.tasks import TaskGroup
from agent.model.record import IncidentKind, NoteIncident
from agent.policy.pausing import Pausing

log = logging.getLogger(__name__)

_ROUND = 2.0  # seconds between looks at the clocks, which somebody may move


class PauseKeeper:
    """One for the life of the engine; for its event loop. `now` is in Unix seconds, `up` since the machine started."""

    def __init__(
        self,
        path: Path,
        rules: Callable[[], Pausing],
        note: NoteIncident,
        tasks: TaskGroup,
        *,
        now: Callable[[], float] = time.time,
        up: Callable[[], float] = seconds_up,
    ) -> None:
        self._path = path
        self._rules = rules
        self._note = note
        self._tasks = tasks
        self._now = now
        self._up = up
        self._pause: Pause | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.on_end: Callable[[], int] = lambda: 0
        """Cuts what a pause let pass; how many connections those were."""

    @property
    def active(self) -> bool:
        """Whether interception rests now."""
        return self._pause is not None and self._left(self._pause) > 0

    @property
    def current(self) -> Pause | None:
        """The pause that lasts."""
        return self._pause if self.active else None

    @property
    def seconds_left(self) -> float:
        """For how long it lasts yet."""
        return self._left(self._pause) if self._pause is not None else 0.0

    async def restore(self) -> None:
        """Go on with a pause that an engine before this one began; what is over is over."""
        pause = await asyncio.to_thread(read_pause, self._path)
        if pause is None:
            return
        self._pause = pause
        if self.active:
            log.warning("interception is paused for another %.0f s", self.seconds_left)
            self._watch()
        else:
            await self._end("its time was over while no engine ran, or the machine was restarted")

    async def begin(self, *, minutes: int, reason: str, user: str, uid: int) -> Pause:
        """Pause. Raises ConfigError where the policy forbids it or a pause lasts already, HostError where it cannot be
        kept."""
        if self.active:
            raise ConfigError(
                f"interception is paused already, for another {self.seconds_left / 60:.0f} minutes",
                hint="End that pause first: drawbridge resume.",
            )
        pause = rules_of_pauses.begun(
            self._rules(), minutes=minutes, reason=reason, user=user, uid=uid, now=self._now(), up=self._up()
        )
        await asyncio.to_thread(write_pause, self._path, pause)
        self._pause = pause
        self._watch()
        await self._note(
            IncidentKind.PAUSED,
            f"{user} paused interception for {minutes} minutes",
            (("user", user), ("uid", str(uid)), ("minutes", str(minutes)), ("reason", pause.reason)),
        )
        return pause

    async def resume(self, *, user: str) -> bool:
        """Guard again; whether there was a pause."""
        if self._pause is None:
            return False
        await self._end(f"{user} resumed")
        return True

    async def policy_changed(self) -> None:
        """A policy that allows less ends a pause at once."""
        if self._pause is not None and not self.active:
            await self._end("its time is over, or the policy allows it no more")

    def close(self) -> None:
        """The engine stops: the file stays, for the next."""
        if self._timer is not None:
            self._timer.cancel()

    def _left(self, pause: Pause) -> float:
        return rules_of_pauses.seconds_left(pause, self._rules(), now=self._now(), up=self._up())

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(self.seconds_left, _ROUND), self._look)

    def _look(self) -> None:
        if self._pause is None:
            return
        if self.active:
            self._watch()
        else:
            self._tasks.spawn(self._end("its time is over"), name="resume")

    async def _end(self, why: str) -> None:
        pause, self._pause = self._pause, None
        if pause is None:
            return
        self.close()
        cut = self.on_end()
        try:
            await asyncio.to_thread(remove_pause, self._path)
        except HostError as error:
            log.warning("%s", error)
        log.info("interception goes on: %s", why)
        await self._note(
            IncidentKind.RESUMED,
            f"interception goes on: {why}",
            (("user", pause.user), ("why", why), ("connections_cut", str(cut))),
        )

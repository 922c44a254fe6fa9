"""The control API and the dashboard of one engine: built once, served, watched, stopped in order."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.audit import Spool, Trail
from agent.audit.spool import CAPACITY
from agent.control.api import ControlApi
from agent.control.caller import Caller
from agent.control.dashboard import Dashboard
from agent.control.facts import WATCHED, Facts, assess
from agent.control.health import Health
from agent.control.http import LocalServer
from agent.control.pausing import PauseKeeper
from agent.control.personal import Personal
from agent.control.pipe_server import PipeServer
from agent.control.reading import Reading, Sources
from agent.control.sessions import Sessions
from agent.control.signing_in import SigningIn
from agent.control.verbs import Nothing, PauseOrder
from agent.errors import ConfigError, DrawbridgeError
from agent.host.control_place import control_socket, listen_unix, machine_socket, remove_socket
from agent.host.peers import Operators
from agent.host.pipes import Pipes, control_pipe, is_machine, system_pipes
from agent.host.settings_state import SettingsState, read_state
from agent.host.tasks import TaskGroup
from agent.model.record import NoteIncident
from agent.policy import Mode

log = logging.getLogger(__name__)

_DISK_SECONDS = 5.0
_LINES = 20
_BACKLOG = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What the health is read from, besides `Sources`."""

    spool: Spool
    ca_ends: Callable[[], datetime | None]
    policy_problem: Callable[[], str]
    parts_missing: Callable[[], tuple[str, ...]]
    deaths: Callable[[], int]
    uncaptured: Callable[[], str]  # why single programs are not captured
    clock_ahead: Callable[[], float]


class ControlService:
    """Built without input or output; `start` listens. For one event loop."""

    def __init__(
        self,
        sources: Sources,
        engine: Engine,
        pauses: PauseKeeper,
        note: NoteIncident,
        tasks: TaskGroup,
        *,
        pipes: Pipes | None = None,
    ) -> None:
        """`pipes`: where commands are answered instead of a unix socket; on Windows always."""
        self._sources = sources
        self._engine = engine
        self._pauses = pauses
        self._note = note
        self._tasks = tasks
        self.health = Health()
        self._free: int | None = None
        self._trail_bytes = 0
        self._newest = 0.0
        self._led: SettingsState | None = None
        reading = Reading(sources, self.health, pauses, self._look)
        self._dashboard = Dashboard(reading, Sessions(time.monotonic), sources.rules)
        self._reading = reading
        self._servers: list[LocalServer | PipeServer] = []
        self._pipes = pipes or system_pipes()
        self._socket: Path | None = None

    @property
    def dashboard_port(self) -> int:
        """Where browsers find the dashboard; 0: nowhere."""
        return self._dashboard.port

    async def start(self) -> None:
        """Listen for commands and, where the settings want one, for browsers. Raises HostError where commands cannot be
        answered; a dashboard without a port is only missed."""
        sources = self._sources
        self._newest = await asyncio.to_thread(_newest_event, Trail(sources.paths))
        pipes = self._pipes
        reading = self._reading
        signing_in = SigningIn(sources.people, self._note)
        api = ControlApi(
            {
                "status": reading.status,
                "health": reading.health,
                "me": Personal(sources).me,
                "policy": reading.policy,
                "live": reading.live,
                "events": reading.events,
                "inventory": reading.inventory,
                "service": reading.service,
                "diag": reading.diag,
                "dashboard": self._open_dashboard,
                "begin-sign-in": signing_in.begin,
                "sign-in": signing_in.sign_in,
                "sign-out": signing_in.sign_out,
                "pause": self._pause,
                "resume": self._resume,
            },
            Operators(sources.settings.operators, own_identifier=pipes.own() if pipes else ""),
            self._note,
        )
        if pipes is not None:
            await self._serve_pipe(api, pipes)
        elif (place := control_socket(sources.paths)) is not None:
            self._socket = place
            await self._serve_socket(api, place)
        await self._start_dashboard()
        self._tasks.spawn(self._watch_disk(), name="disk")

    async def aclose(self) -> None:
        """Accept no more."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._pauses.close()
        if self._socket is not None:
            await asyncio.to_thread(remove_socket, self._socket)

    async def _serve_pipe(self, api: ControlApi, pipes: Pipes) -> None:
        server = PipeServer(api, pipes)
        paths = self._sources.paths
        await server.serve(control_pipe(paths), everybody=is_machine(paths))
        self._servers.append(server)

    async def _serve_socket(self, api: ControlApi, place: Path) -> None:
        server = LocalServer(api, self._tasks)
        everybody = place == machine_socket()
        await server.serve(await asyncio.to_thread(listen_unix, place, everybody=everybody))
        self._servers.append(server)

    async def _start_dashboard(self) -> None:
        settings = self._sources.settings
        if not settings.dashboard:
            return
        for port in dict.fromkeys((settings.dashboard_port, 0)):  # 0: any that is free
            try:
                sock = _listen_loopback(port)
            except OSError as error:
                log.warning(
                    "the dashboard cannot have the port %d (%s) and takes a free one; dashboard_port names another",
                    port,
                    error.strerror,
                )
                continue
            server = LocalServer(self._dashboard, self._tasks)
            self._dashboard.port = await server.serve(sock)
            self._servers.append(server)
            return

    async def _open_dashboard(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        del wish
        if not self._dashboard.port:
            raise ConfigError("there is no dashboard", hint="The setting `dashboard` says so.")
        return {
            "url": self._dashboard.url(caller),
            "notice": f"http://127.0.0.1:{self._dashboard.port}/notice",
        }

    async def _pause(self, caller: Caller, order: PauseOrder) -> dict[str, object]:
        await self._pauses.begin(minutes=order.minutes, reason=order.reason, user=caller.name, uid=caller.uid)
        return self._reading.state()

    async def _resume(self, caller: Caller, wish: Nothing) -> dict[str, object]:
        del wish
        ended = await self._pauses.resume(user=caller.name)
        return {"ended": ended, **self._reading.state()}

    # Health.

    def _look(self) -> None:
        """Bring the health up to date with what is known without asking anybody."""
        engine, pauses, now = self._engine, self._pauses, time.time()
        policy, people = self._sources.rules().policy, self._sources.people
        facts = Facts(
            now=now,
            paused_until=now + pauses.seconds_left if pauses.active else None,
            observing=policy.mode is Mode.OBSERVE,
            free_bytes=self._free,
            audit_trouble=engine.spool.trouble,
            audit_waiting=engine.spool.waiting,
            audit_room=CAPACITY,
            trail_bytes=self._trail_bytes,
            trail_limit=engine.spool.limit,
            policy_problem=engine.policy_problem(),
            ca_ends=engine.ca_ends(),
            newest_event=self._newest,
            lines=self._sources.observatory.recent(
                max(self._sources.observatory.latest - _LINES, 0), limit=_LINES
            ),
            engine_deaths=engine.deaths(),
            uncaptured=engine.uncaptured(),
            clock_ahead=engine.clock_ahead(),
            parts_missing=engine.parts_missing(),
            led=self._led,
            sign_in_missing=policy.apps.asks_for_sign_in and people.terms is None,
            expired=people.expired,
            ungrouped=people.ungrouped,
        )
        self.health.watched(assess(facts), WATCHED, now=now)

    async def _watch_disk(self) -> None:
        while True:
            with suppress(OSError):
                self._free, self._trail_bytes = await asyncio.to_thread(_space, self._sources.paths.spool)
            self._led = await asyncio.to_thread(read_state, self._sources.paths.settings_state)
            await asyncio.sleep(_DISK_SECONDS)


def _space(trail: Path) -> tuple[int, int]:
    """Bytes that are free where the trail is, and those that it takes. Blocks."""
    return shutil.disk_usage(trail.parent).free, trail.stat().st_size if trail.exists() else 0


def _newest_event(trail: Trail) -> float:
    """When the newest event of an earlier life was recorded; 0 where there is none. Blocks."""
    try:
        rows = trail.events(limit=1)
    except DrawbridgeError:
        return 0.0
    return rows[0].time_ms / 1e3 if rows else 0.0


def _listen_loopback(port: int) -> socket.socket:
    """A listening socket on loopback. Raises OSError."""
    sock = socket.socket(socket.AF_INET)
    try:
        if sys.platform != "win32" and os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(_BACKLOG)
        sock.settimeout(0)
    except BaseException:
        sock.close()
        raise
    return sock

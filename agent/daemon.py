"""The engine process of an agent: builds the doors around the assembly, once, and stops them in order.

What a central node shares with it is in `assembly`. Nothing is looked up here later: what a part needs, it is given.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent import __version__
from agent.assembly import Assembly, base_url_connection, policy_given
from agent.control.pausing import PauseKeeper
from agent.control.reading import Sources
from agent.control.service import ControlService
from agent.control.service import Engine as Watched
from agent.gateway.discoveries import Discoveries
from agent.gateway.server import GatewayServer
from agent.gateway.services import towards_services
from agent.gateway.transport.tls import client_context
from agent.host.attribution import Attribution
from agent.host.authority import Authority
from agent.host.groups import UserGroups, group_source
from agent.host.inventory import take_inventory
from agent.host.inventory_file import InventoryFile
from agent.host.key_seal import key_seal
from agent.host.loops import loop_factory
from agent.host.offspring import Parent
from agent.host.paths import StatePaths, setup_paths
from agent.host.processes import process_finder
from agent.host.runfile import RunFile, StateLock, remove_runfile, write_runfile
from agent.host.settings import Settings
from agent.host.settings_watch import Renew
from agent.host.signatures import Signatures, verifier
from agent.interception import library
from agent.interception.dialing import Dialler
from agent.model.inventory import Inventory
from agent.model.record import IncidentKind
from agent.signin.keeping import Keeper
from agent.signin.terms import terms_of
from agent.signin.verification import Verifier
from agent.signin.web import HttpxWeb
from agent.supervision import Supervision
from agent.upkeep.authority import AuthorityKeeper
from agent.upkeep.changes import Changes, Reread
from agent.upkeep.company_way import CompanyWay
from agent.upkeep.rounds import Rounds
from agent.upkeep.standin import StandInKeeper
from agent.upkeep.state import StateKeeper

if TYPE_CHECKING:
    from agent.interception.redirection import Redirection

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
LAST_BYTES_SECONDS = 2.0
SETTLE_SECONDS = 1.0
HANDOVER_SECONDS = 5.0

type Ready = Callable[[RunFile], None]


class Daemon:
    """One running agent. `run` returns when it was told to stop, by signal or by `stop`."""

    def __init__(
        self,
        settings: Settings,
        *,
        on_ready: Ready | None = None,
        lent: str = "",
        earlier: Path | None = None,
        reread: Reread | None = None,
    ) -> None:
        """`lent` names the sockets of a supervisor, which is obeyed then; see `offspring`. `earlier` is the file of
        where programs were led before us. `reread` reads the settings again, to see changes."""
        self._settings = settings
        self._earlier = earlier or setup_paths().earlier
        self._reread = reread
        self._on_ready = on_ready
        self._lent = lent
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin an orderly stop. To be called on the loop."""
        self._stopping.set()

    async def run(self) -> None:
        """Serve until stopped. Raises ConfigError, PolicyError, HostError, AuditError for what keeps it from
        starting."""
        settings = self._settings
        paths = StatePaths.under(settings.state_dir)
        with ExitStack() as held:
            parent = Parent(self._lent) if self._lent else None
            supervision = Supervision(parent, self.stop) if parent is not None else None
            paths.prepare()
            held.enter_context(StateLock(paths))
            lent = parent.sockets if parent is not None else ()
            engine = _Parts(settings, paths, self._earlier, lent, supervision)
            try:
                runfile = await engine.start()
                write_runfile(paths, runfile)
                self._handle_signals(engine)
                if supervision is not None:
                    supervision.serves(engine.shared, engine.changes.read_soon)
                    with suppress(
                        TimeoutError
                    ):  # else somebody is told that we guard, and meets the stand-in
                        await asyncio.wait_for(supervision.guarding.wait(), HANDOVER_SECONDS)
                if self._reread is not None:  # not before: a supervisor replaces only an engine that serves
                    engine.watch(self._reread)
                await engine.shared.note(IncidentKind.AGENT_STARTED, f"Drawbridge {__version__} is ready")
                log.info(
                    "ready: proxy 127.0.0.1:%d, gateway 127.0.0.1:%d",
                    runfile.proxy_port,
                    runfile.gateway_port,
                )
                if self._on_ready is not None:
                    self._on_ready(runfile)
                await self._stopping.wait()
                log.info("stopping: running exchanges get up to %.0f s", DRAIN_SECONDS)
            finally:
                remove_runfile(paths)
                await engine.stop()

    def _handle_signals(self, engine: _Parts) -> None:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError):  # Windows, or not the main thread
            for name in ("SIGTERM", "SIGINT"):
                loop.add_signal_handler(getattr(signal, name), self.stop)
            loop.add_signal_handler(signal.SIGHUP, engine.changes.read_soon)


class _Parts:
    """The parts of a running agent, in the order in which they are built; stopped the other way round."""

    def __init__(
        self,
        settings: Settings,
        paths: StatePaths,
        earlier: Path,
        lent: tuple[socket.socket, ...] = (),
        supervision: Supervision | None = None,
    ) -> None:
        """`lent` are the sockets of the proxy and the gateway, where somebody else bound them. `earlier` is the file of
        where programs were led before us. `supervision` is who would start another engine in our place."""
        self._given = settings
        way = self._way = CompanyWay(settings, earlier, os.environ)
        settings = self._settings = way.settings
        self._supervision = supervision
        self._lent = lent
        shared = self.shared = Assembly(settings, paths, on_device=True, keeps_policy=supervision is not None)
        authority = self._authority = Authority.open(
            paths, shared.policy.rules.catalog.hosts, seal=key_seal()
        )
        self._signing = AuthorityKeeper(authority, paths, shared.note)
        self._signing.publish()
        self._rounds = Rounds(
            way,
            StateKeeper(paths, authority.put_back, shared.missing),
            another=supervision.ask_for_another if supervision is not None else None,
            led_elsewhere=self._keep_standin,
        )
        self._standin = StandInKeeper(paths.standin)
        self._server: GatewayServer | None = None
        self._ports = (0, 0)
        self._pauses = PauseKeeper(
            paths.pause, lambda: shared.policy.rules.policy.pause, shared.note, shared.tasks
        )
        terms = terms_of(settings)
        verifier = Verifier(terms, HttpxWeb(towards_services(settings))) if terms is not None else None
        self._people = Keeper(terms, verifier, paths.sign_ins)
        self._control: ControlService | None = None
        self.changes = Changes(shared, self._signing, self._follow_policy)
        self._redirection: Redirection | None = None

    async def start(self) -> RunFile:
        """Build what needs the loop; listen."""
        library.prepare()
        from addons import build_addons  # imports mitmproxy, which `prepare` had to precede
        from agent.interception.captured import CapturedDoor
        from agent.interception.door import Door
        from agent.interception.engine import Engine
        from agent.interception.frontdoor import FrontDoor
        from agent.interception.redirection import Redirection

        settings, shared = self._settings, self.shared
        attribution = self._attribution = Attribution(
            process_finder(),
            lambda: shared.policy.rules.apps,
            Signatures(verifier()),
            UserGroups(group_source()),
            self._people.of,
        )
        server = self._server = await shared.start(identities=attribution)
        engine = self._engine = Engine(attach=server.attach, mint=self._authority.leaf)
        door = self._door = Door(
            rules=lambda: shared.policy.rules,
            engine=engine,
            attribution=attribution,
            record=shared.audit.append,
            tasks=shared.tasks,
            ports=lambda: self._ports,
            passes=lambda host: self._pauses.active and not self._standin.refuses(host),
            shields=self._people.shields,
            permits=self._authority.permits,
            earlier=lambda: self._way.earlier,
        )
        engine.report(on_trusted=door.trusted, on_distrusted=door.distrusted)
        engine.install(build_addons(engine))
        dialler = Dialler(shared.resolve, settings.upstream_proxy, settings.upstream_direct)
        front = self._front = FrontDoor(door, dialler.dial, shared.tasks)
        self._captured = CapturedDoor(front)
        self._standin.follow(shared.policy.rules)
        self._pauses.on_end = front.end_pause
        await self._pauses.restore()
        if shared.policy_problem:
            await shared.note(IncidentKind.POLICY_REFUSED, shared.policy_problem)
        await self._people.restore()
        control = self._control = self._controlled()
        await control.start()
        proxy, gateway = self._lent or (None, None)
        if gateway is not None:
            await server.serve(gateway, base_url_connection)
            gateway_port = int(gateway.getsockname()[1])
        else:
            gateway_port = await server.listen("127.0.0.1", settings.gateway_port, base_url_connection)
        self._ports = (await front.listen(settings.proxy_port, lent=proxy), gateway_port)
        if settings.capture == "transparent":
            await self._captured.listen(settings.capture_port)
        elif settings.capture == "programs":
            self._redirection = Redirection(settings.capture_programs, front, shared.tasks)
            shared.tasks.spawn(self._redirection.run(), name="redirection")
        self._keep_standin()
        shared.tasks.spawn(self._rounds.run(), name="rounds")
        shared.tasks.spawn(self._discoveries().run(), name="inventory")
        await self._signing.begun()
        shared.tasks.spawn(self._signing.run(), name="authority")
        return RunFile(
            pid=os.getpid(),
            proxy_port=self._ports[0],
            gateway_port=gateway_port,
            started_at=shared.started_at,
            state_dir=str(shared.paths.root),
            ca_path=str(shared.paths.roots),
            version=__version__,
            dashboard_port=control.dashboard_port,
            policy=policy_given(settings),
        )

    def _controlled(self) -> ControlService:
        shared = self.shared
        observatory = shared.observatory
        sources = Sources(
            rules=lambda: shared.policy.rules,
            facts=lambda: {**shared.status(), **self._status()},
            observatory=observatory,
            settings=self._settings,
            paths=shared.paths,
            roots=lambda: self._authority.roots_pem,
            supervised=self._supervision is not None,
            people=self._people,
        )
        watched = Watched(
            spool=shared.audit,
            ca_ends=lambda: self._authority.root.not_valid_after_utc,
            policy_problem=lambda: shared.policy_problem,
            parts_missing=lambda: tuple(shared.missing.values()),
            deaths=lambda: self._supervision.deaths if self._supervision is not None else 0,
            uncaptured=lambda: self._redirection.trouble if self._redirection is not None else "",
            clock_ahead=shared.time.skew,
        )
        return ControlService(sources, watched, self._pauses, shared.note, shared.tasks)

    def _discoveries(self) -> Discoveries:
        shared = self.shared

        def take() -> Inventory:
            rules = shared.policy.rules
            return take_inventory(rules.apps, (row.software() for row in rules.policy.discovery.software))

        return Discoveries(
            shared.audit,
            InventoryFile(shared.paths.inventory),
            take,
            lambda: shared.policy.rules.policy.discovery,
        )

    async def stop(self) -> None:
        """No new connections; running exchanges get their time; every event is flushed."""
        if self._server is not None:
            self._front.close_listener()
            self._captured.close()
            self._server.close_listeners()
            await self._settle(self._server)
            self._front.close()
            self._server.close()
            if cut := await self._server.drain(DRAIN_SECONDS):
                log.warning("%d exchanges were cut after %.0f s", cut, DRAIN_SECONDS)
            await self._engine.drain(LAST_BYTES_SECONDS)
            self._attribution.close()
        if self._control is not None:
            await self._control.aclose()  # last: who drains can still be asked
        await self.shared.aclose("Drawbridge was stopped in order" if self._ports[0] else "")

    async def _settle(self, server: GatewayServer) -> None:
        """Let clients that have just connected ask what they came for; whoever comes now waits for our successor."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(SETTLE_SECONDS / 10)
            if not (
                self._front.waiting
                or self._engine.expectant(SETTLE_SECONDS)
                or server.expectant(SETTLE_SECONDS)
            ):
                return

    def watch(self, reread: Reread) -> None:
        """From now on see settings change."""
        held, (proxy, gateway) = self._given, self._ports
        if self._lent:  # whoever bound them may have been told something else
            held = replace(
                held,
                proxy_port=held.proxy_port and proxy,
                gateway_port=held.gateway_port and gateway,
            )
        renew = _renewal(self._supervision) if self._supervision is not None else None
        self.changes.watch(held, reread, renew)

    async def _follow_policy(self) -> None:
        self._keep_standin()
        await self._pauses.policy_changed()

    def _keep_standin(self) -> None:
        self._standin.keep(self.shared.policy.rules, self._door.pac())

    def _status(self) -> Mapping[str, object]:
        return {
            "proxy_port": self._ports[0],
            "gateway_port": self._ports[1],
            "ca_fingerprint": self._authority.fingerprint,
            "ca_worries": list(self._authority.worries()),
            "catalog": self.shared.policy.rules.catalog.version,
            "hosts": len(self.shared.policy.rules.catalog.hosts),
            "connections_intercepted": self._engine.connections,
            **self.changes.status(),
        }


def _renewal(supervision: Supervision) -> Renew:
    """Has the supervisor start another engine, unless that could not start."""

    async def renew(settings: Settings) -> None:
        await asyncio.to_thread(client_context, settings.upstream_ca_file)
        supervision.ask_for_another()

    return renew


def run(
    settings: Settings,
    *,
    on_ready: Ready | None = None,
    lent: str = "",
    earlier: Path | None = None,
    reread: Reread | None = None,
) -> None:
    """Run the agent in the foreground until it is told to stop; see `Daemon`."""

    async def main() -> None:
        await Daemon(settings, on_ready=on_ready, lent=lent, earlier=earlier, reread=reread).run()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())

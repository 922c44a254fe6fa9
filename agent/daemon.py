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
from agent.assembly import Assembly, base_url_connection, policy_given, policy_path
from agent.control.pausing import PauseKeeper
from agent.control.reading import Sources
from agent.control.service import ControlService
from agent.control.service import Engine as Watched
from agent.errors import HostError
from agent.gateway.discoveries import Discoveries
from agent.gateway.server import GatewayServer
from agent.gateway.services import towards_services
from agent.gateway.transport.tls import client_context
from agent.host.attribution import Attribution
from agent.host.authority import Authority
from agent.host.bundle import refresh_bundle
from agent.host.earlier import read_earlier
from agent.host.groups import UserGroups, group_source
from agent.host.inventory import take_inventory
from agent.host.inventory_file import InventoryFile
from agent.host.key_seal import key_seal
from agent.host.loops import loop_factory
from agent.host.offspring import Parent
from agent.host.paths import StatePaths, setup_paths
from agent.host.processes import process_finder
from agent.host.roots import root_store
from agent.host.runfile import RunFile, StateLock, remove_runfile, write_runfile
from agent.host.settings import Settings
from agent.host.settings_watch import Renew, SettingsWatch
from agent.host.signatures import Signatures, verifier
from agent.host.standin_file import StandInFacts, write_standin
from agent.host.standin_file import facts as standin_facts
from agent.host.state_presence import StatePresence
from agent.host.upstream import settled
from agent.inspection import RuleBook
from agent.interception import library
from agent.interception.dialing import Dialler
from agent.model.inventory import Inventory
from agent.model.record import IncidentKind
from agent.signin.keeping import Keeper
from agent.signin.terms import terms_of
from agent.signin.verification import Verifier
from agent.signin.web import HttpxWeb
from agent.supervision import Supervision

if TYPE_CHECKING:
    from agent.interception.door import Door
    from agent.interception.redirection import Redirection

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
LAST_BYTES_SECONDS = 2.0
SETTLE_SECONDS = 1.0
HANDOVER_SECONDS = 5.0
WORRY_SECONDS = 24 * 3600.0
HEED_SECONDS = 2.0

type Ready = Callable[[RunFile], None]
type Reread = Callable[[], Settings]


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
                    supervision.serves(engine.shared, engine.reload_soon)
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
            loop.add_signal_handler(signal.SIGHUP, engine.reload_soon)


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
        self._earlier_file = earlier
        self._earlier = read_earlier(earlier)
        settings = self._settings = settled(settings, os.environ, self._earlier)
        self._supervision = supervision
        self._lent = lent
        self.shared = Assembly(settings, paths, on_device=True, keeps_policy=supervision is not None)
        self._authority = Authority.open(paths, self.shared.policy.rules.catalog.hosts, seal=key_seal())
        refresh_bundle(paths, self._authority.roots_pem, environ=os.environ, store=root_store())
        self._server: GatewayServer | None = None
        self._ports = (0, 0)
        self._closed = StandInFacts()
        shared = self.shared
        self._pauses = PauseKeeper(
            paths.pause, lambda: shared.policy.rules.policy.pause, shared.note, shared.tasks
        )
        terms = terms_of(settings)
        verifier = Verifier(terms, HttpxWeb(towards_services(settings))) if terms is not None else None
        self._people = Keeper(terms, verifier, paths.sign_ins)
        self._control: ControlService | None = None
        self._watch: SettingsWatch | None = None
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
            passes=lambda host: self._pauses.active and not self._closed.refuses(host),
            shields=self._people.shields,
            permits=self._authority.permits,
            earlier=lambda: self._earlier,
        )
        engine.report(on_trusted=door.trusted, on_distrusted=door.distrusted)
        engine.install(build_addons(engine))
        dialler = Dialler(shared.resolve, settings.upstream_proxy, settings.upstream_direct)
        front = self._front = FrontDoor(door, dialler.dial, shared.tasks)
        self._captured = CapturedDoor(front)
        self._note_closed(shared.policy.rules)
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
        self._keep_standin(shared.policy.rules, door)
        shared.tasks.spawn(self._heed_settings(), name="settings")
        shared.tasks.spawn(self._discoveries().run(), name="inventory")
        if self._authority.reissued:
            await shared.note(IncidentKind.CA_REISSUED, "the device's intermediate certificate was issued")
        shared.tasks.spawn(self._worry(), name="authority")
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
        self._watch = SettingsWatch(
            held,
            reread,
            live={
                "policy": self._follow_policy,
                "log_level": self._follow_log_level,
                "notifications": self._leave_to_tray,
            },
            renew=_renewal(self._supervision) if self._supervision is not None else None,
        )
        self.shared.tasks.spawn(self._watch.run(), name="settings")

    async def _follow_policy(self, settings: Settings) -> bool:
        return await self._reload(await asyncio.to_thread(policy_path, settings))

    async def _follow_log_level(self, settings: Settings) -> bool:
        logging.getLogger("agent").setLevel(settings.log_level.upper())
        return True

    async def _leave_to_tray(self, settings: Settings) -> bool:
        """The tray reads that itself."""
        del settings
        return True

    def reload_soon(self) -> None:
        """SIGHUP: read settings and policy again, beside the running traffic."""
        self.shared.tasks.spawn(self._reread_all(), name="reload")

    async def _reread_all(self) -> None:
        source = self.shared.policy.path
        if self._watch is not None:
            await self._watch.look()
        if self.shared.policy.path == source:  # else it was read just now
            await self._reload()

    async def _reload(self, path: Path | None = None) -> bool:
        reissued = False

        def cover(rules: RuleBook) -> None:
            nonlocal reissued
            reissued = self._authority.cover(rules.catalog.hosts)

        await self._reopen_authority()
        accepted = await self.shared.reload(cover, path)
        if accepted and reissued:
            await self.shared.note(
                IncidentKind.CA_REISSUED, "the device's intermediate certificate covers other hosts now"
            )
        await self._note_worries()
        self._keep_standin(self.shared.policy.rules, self._door)
        await self._pauses.policy_changed()
        return accepted

    async def _reopen_authority(self) -> None:
        """Sign with what somebody has put on the disk since: another root, a company's intermediate."""

        def reopen() -> bool:
            changed = self._authority.reopen()
            refresh_bundle(
                self.shared.paths, self._authority.roots_pem, environ=os.environ, store=root_store()
            )
            return changed

        try:
            if await asyncio.to_thread(reopen):
                await self.shared.note(
                    IncidentKind.CA_REISSUED,
                    f"certificates are signed under {self._authority.fingerprint} now",
                )
        except HostError as error:
            log.error("the authority on the disk is not used, the one in force stays: %s", error)  # noqa: TRY400  said
            await self.shared.note(IncidentKind.CA_WARNING, f"{error} {error.hint()}".strip())

    async def _worry(self) -> None:
        """Say every day what somebody must do about the authority, for as long as nobody does."""
        while True:
            await self._note_worries()
            await asyncio.sleep(WORRY_SECONDS)

    async def _note_worries(self) -> None:
        for worry in self._authority.worries():
            log.warning("%s", worry)
            await self.shared.note(IncidentKind.CA_WARNING, worry)

    async def _heed_settings(self) -> None:
        """Whoever changes the OS's settings leaves where they led before, and waits until our PAC file says so, too."""
        loop = asyncio.get_running_loop()
        presence, put_back, lost = StatePresence(self.shared.paths), False, False
        while True:
            await asyncio.sleep(HEED_SECONDS)
            found = await loop.run_in_executor(None, read_earlier, self._earlier_file)
            before, lost = lost, not put_back and await loop.run_in_executor(None, presence.lost)
            if lost and before:  # not at once: whoever removes it would remove what is put back
                put_back = await self._put_back_state()
            if found != self._earlier:
                self._earlier = found
                self._heed_upstream()
                self._keep_standin(self.shared.policy.rules, self._door)

    async def _put_back_state(self) -> bool:
        """The state directory was removed: keep the root that is trusted, and have another engine begin with the rest
        anew. Whether that worked."""
        paths, missing = self.shared.paths, self.shared.missing

        def put_back() -> None:
            paths.prepare()
            self._authority.put_back()

        if "state" not in missing:
            missing["state"] = f"the state directory {paths.root} was removed while the agent ran"
            log.error("%s", missing["state"])
        try:
            await asyncio.to_thread(put_back)
        except HostError as error:
            if str(error) not in missing["state"]:
                log.warning("%s", error)
                missing["state"] += f" ({error})"
            return False
        if self._supervision is not None:
            log.error("what signs is put back, and another engine begins with the rest anew")
            self._supervision.ask_for_another()
        else:
            log.error("what signs is put back; nothing is recorded until the agent is started again")
        return True

    def _heed_upstream(self) -> None:
        """The company's proxy is built into every connection of ours."""
        now = settled(self._given, os.environ, self._earlier)
        if (now.upstream_proxy, now.upstream_direct) == (
            self._settings.upstream_proxy,
            self._settings.upstream_direct,
        ):
            return
        if self._supervision is not None:
            log.info("the company's proxy is another one now: another engine takes over")
            self._supervision.ask_for_another()
        else:
            log.warning("the company's proxy is another one now: it is used from the next start on")

    def _keep_standin(self, rules: RuleBook, door: Door) -> None:
        """Tell whoever stands in for us what it must know."""
        try:
            write_standin(self.shared.paths.standin, self._note_closed(rules), door.pac())
        except HostError as error:
            log.error("%s", error)  # noqa: TRY400  the cause is in the message

    def _note_closed(self, rules: RuleBook) -> Mapping[str, bool]:
        """Remember to which hosts nothing may pass unseen, a pause or not."""
        closed = rules.policy.closed(rules.catalog.hosts)
        hosts = {host: host in closed for host in rules.catalog.hosts}
        self._closed = standin_facts(hosts)
        return hosts

    def _status(self) -> Mapping[str, object]:
        return {
            "proxy_port": self._ports[0],
            "gateway_port": self._ports[1],
            "ca_fingerprint": self._authority.fingerprint,
            "ca_worries": list(self._authority.worries()),
            "catalog": self.shared.policy.rules.catalog.version,
            "hosts": len(self.shared.policy.rules.catalog.hosts),
            "connections_intercepted": self._engine.connections,
            **(self._watch.status() if self._watch is not None else {}),
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

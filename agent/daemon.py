"""The engine process of an agent: builds the doors around the assembly, once, and stops them in order.

What a central node shares with it is in `assembly`. Nothing is looked up here later: what a part needs, it is given.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

from agent import __version__
from agent.assembly import Assembly, base_url_connection
from agent.gateway.server import GatewayServer
from agent.host.attribution import Attribution
from agent.host.authority import Authority
from agent.host.bundle import refresh_bundle
from agent.host.loops import loop_factory
from agent.host.paths import StatePaths
from agent.host.processes import process_finder
from agent.host.roots import root_store
from agent.host.runfile import RunFile, StateLock, remove_runfile, write_runfile
from agent.host.settings import Settings
from agent.host.signatures import Signatures, verifier
from agent.inspection import RuleBook
from agent.interception import library
from agent.interception.dialing import Dialler
from agent.model.record import IncidentKind

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
LAST_BYTES_SECONDS = 2.0

type Ready = Callable[[RunFile], None]


class Daemon:
    """One running agent. `run` returns when it was told to stop, by signal or by `stop`."""

    def __init__(self, settings: Settings, *, on_ready: Ready | None = None) -> None:
        self._settings = settings
        self._on_ready = on_ready
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
            paths.prepare()
            held.enter_context(StateLock(paths))
            engine = _Parts(settings, paths)
            try:
                runfile = await engine.start()
                write_runfile(paths, runfile)
                self._handle_signals(engine)
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

    def __init__(self, settings: Settings, paths: StatePaths) -> None:
        self._settings = settings
        self.shared = Assembly(settings, paths, notices_apps=True)
        self._authority = Authority.open(paths, self.shared.policy.rules.catalog.hosts)
        refresh_bundle(paths, self._authority.root_pem, environ=os.environ, store=root_store())
        self._server: GatewayServer | None = None
        self._ports = (0, 0)

    async def start(self) -> RunFile:
        """Build what needs the loop; listen."""
        library.prepare()
        from addons import build_addons  # imports mitmproxy, which `prepare` had to precede
        from agent.interception.door import Door
        from agent.interception.engine import Engine
        from agent.interception.frontdoor import FrontDoor

        settings, shared = self._settings, self.shared
        attribution = self._attribution = Attribution(
            process_finder(), lambda: shared.policy.rules.apps, Signatures(verifier())
        )
        server = self._server = await shared.start(self._status, identities=attribution)
        engine = self._engine = Engine(attach=server.attach, mint=self._authority.leaf)
        door = Door(
            rules=lambda: shared.policy.rules,
            engine=engine,
            attribution=attribution,
            record=shared.audit.append,
            tasks=shared.tasks,
            ports=lambda: self._ports,
        )
        engine.report(on_trusted=door.trusted, on_distrusted=door.distrusted)
        engine.install(build_addons(engine))
        dialler = Dialler(shared.resolve, settings.upstream_proxy)
        front = self._front = FrontDoor(door, dialler.dial, shared.tasks)
        gateway_port = await server.listen("127.0.0.1", settings.gateway_port, base_url_connection)
        self._ports = (await front.listen(settings.proxy_port), gateway_port)
        if self._authority.reissued:
            await shared.note(IncidentKind.CA_REISSUED, "the device's intermediate certificate was issued")
        return RunFile(
            pid=os.getpid(),
            proxy_port=self._ports[0],
            gateway_port=gateway_port,
            started_at=shared.started_at,
            state_dir=str(shared.paths.root),
            ca_path=str(shared.paths.root_certificate),
            version=__version__,
        )

    async def stop(self) -> None:
        """No new connections; running exchanges get their time; every event is flushed."""
        if self._server is not None:
            self._front.close()
            self._server.close()
            if cut := await self._server.drain(DRAIN_SECONDS):
                log.warning("%d exchanges were cut after %.0f s", cut, DRAIN_SECONDS)
            await self._engine.drain(LAST_BYTES_SECONDS)
            self._attribution.close()
        await self.shared.aclose("Drawbridge was stopped in order" if self._ports[0] else "")

    def reload_soon(self) -> None:
        """SIGHUP: read the policy again, beside the running traffic."""
        self.shared.tasks.spawn(self._reload(), name="reload")

    async def _reload(self) -> None:
        reissued = False

        def cover(rules: RuleBook) -> None:
            nonlocal reissued
            reissued = self._authority.cover(rules.catalog.hosts)

        if await self.shared.reload(cover) and reissued:
            await self.shared.note(
                IncidentKind.CA_REISSUED, "the device's intermediate certificate covers other hosts now"
            )

    def _status(self) -> Mapping[str, object]:
        return {
            "proxy_port": self._ports[0],
            "gateway_port": self._ports[1],
            "ca_fingerprint": self._authority.fingerprint,
            "catalog": self.shared.policy.rules.catalog.version,
            "hosts": len(self.shared.policy.rules.catalog.hosts),
            "connections_intercepted": self._engine.connections,
        }


def run(settings: Settings, *, on_ready: Ready | None = None) -> None:
    """Run the agent in the foreground until it is told to stop."""

    async def main() -> None:
        await Daemon(settings, on_ready=on_ready).run()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())

"""The engine process: builds every part once, by constructor arguments, and stops them in order.

This is the only place where the rooms meet. Nothing is looked up here later: what a part needs, it is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial

from agent import __version__
from agent.accounts.accounts import Accounts
from agent.accounts.stores import store_for
from agent.audit import Spool
from agent.caching.building import make_cache
from agent.catalog import bundled_harness
from agent.checks.http import HttpConfig
from agent.checks.runner import Checks
from agent.credentials import Credentials
from agent.errors import AuditError, DrawbridgeError
from agent.gateway.app import GatewayApp
from agent.gateway.conversations import Conversations
from agent.gateway.dispatch import Dispatcher
from agent.gateway.exchange import MAX_BODY, ExchangeHandler
from agent.gateway.local import LocalPages
from agent.gateway.policy_file import PolicyFile
from agent.gateway.scans import ScanPool
from agent.gateway.server import GatewayServer
from agent.gateway.small_requests import SmallRequests
from agent.gateway.standing import Standing
from agent.gateway.telemetry_pages import telemetry_pages
from agent.gateway.transport.base import Transport, TransportConfig
from agent.gateway.transport.factory import build_transport
from agent.gateway.transport.proxy import parse_proxy
from agent.gateway.transport.tls import client_context
from agent.gateway.unified.embedding import GatewayEmbedder
from agent.gateway.unified.keys import Keys
from agent.gateway.unified.planning import Planner
from agent.gateway.unified.recall import Recall
from agent.gateway.unified.serving import Serving
from agent.gateway.upgrade import UpgradeHandler
from agent.host.authority import Authority
from agent.host.bundle import refresh_bundle
from agent.host.device import read_device
from agent.host.justifications import JustificationFile
from agent.host.loops import loop_factory
from agent.host.paths import StatePaths, bundled_policies
from agent.host.processes import process_finder
from agent.host.roots import root_store
from agent.host.runfile import RunFile, StateLock, control_token, remove_runfile, write_runfile
from agent.host.secrets import read_secret
from agent.host.settings import Settings
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.interception import library
from agent.interception.dialing import Dialler
from agent.model.conversation import TokenCount
from agent.model.ids import uuid7
from agent.model.record import Incident, IncidentKind
from agent.model.traffic import Connection, Tier
from agent.routing.health import HealthBook
from agent.telemetry.observatory import Observatory, Surroundings, Watching

log = logging.getLogger(__name__)

DRAIN_SECONDS = 10.0
LAST_BYTES_SECONDS = 2.0
_PAUSE_SECONDS = 0.001  # of work that is in no hurry, after each step

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
                await engine.note(IncidentKind.AGENT_STARTED, f"Drawbridge {__version__} is ready")
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
        self._paths = paths
        self._started_at = time.time()
        self._tasks = TaskGroup("engine")
        self._stopped = threading.Event()
        self.policy = PolicyFile(settings.policy or bundled_policies() / "default")
        self._authority = Authority.open(paths, self.policy.rules.catalog.hosts)
        refresh_bundle(paths, self._authority.root_pem, environ=os.environ, store=root_store())
        providers = {
            **{surface.id: surface.provider for surface in self.policy.rules.catalog.surfaces},
            **{each.id: each.row.genai for each in self.policy.book.providers.values()},
        }
        device = self._device = read_device(paths)
        self._audit = Spool(paths, device=device, providers=providers)
        self._scans = ScanPool()
        self._resolve = {(r.host, r.port): (r.address, r.address_port) for r in settings.resolve}
        services = _towards_services(settings, self._resolve)
        self._checks = Checks(services, read_secret)
        section = self.policy.rules.policy.accounts
        password = section.store.password if section is not None else None
        store = store_for(
            section, state=paths.root, password=read_secret(password) if password is not None else None
        )
        self._accounts = Accounts(section, store=store, prices=_Prices(self.policy))
        self._health = HealthBook()
        self._standing = Standing(self._accounts, self._health, self._audit)
        self._observatory = Observatory(
            Surroundings(
                secret=read_secret,
                http=services,
                snapshot=self._standing,
                providers=providers,
                resource={
                    "service.name": "drawbridge",
                    "service.version": __version__,
                    "service.instance.id": device.id,
                    "host.name": device.hostname,
                    "os.type": device.os_name.lower().replace("macos", "darwin"),
                },
            ),
            self.policy.rules.policy.telemetry,
        )
        self._recall = Recall(None, self._tasks)
        self._dispatcher: Dispatcher | None = None
        self._transport: Transport | None = None
        self._server: GatewayServer | None = None
        self._ports = (0, 0)

    async def start(self) -> RunFile:
        """Build what needs the loop; listen."""
        library.prepare()
        from addons import build_addons  # imports mitmproxy, which `prepare` had to precede
        from agent.interception.door import Door
        from agent.interception.engine import Engine
        from agent.interception.frontdoor import FrontDoor

        settings = self._settings
        await self._audit.open()
        config = TransportConfig(
            resolve=self._resolve, ca_file=settings.upstream_ca_file, proxy_url=settings.upstream_proxy or ""
        )
        transport = self._transport = await build_transport(config)
        await self._accounts.open()
        credentials = Credentials(read_secret, SmallRequests(transport), clock=time.monotonic, now=time.time)
        dispatcher = self._dispatcher = Dispatcher(transport, Keys(credentials), self._health)
        embedder = GatewayEmbedder(self.policy, dispatcher)
        self._embedder = embedder
        await self._open_cache()
        token = control_token(self._paths)
        handler = ExchangeHandler(
            policy=self.policy,
            transport=transport,
            audit=Watching(self._audit, self._observatory),
            secret=read_secret,
            scans=self._scans,
            capture_key=_key(token, b"capture"),
            conversations=Conversations(bundled_harness(), time.monotonic),
            justifications=JustificationFile(self._paths.justifications, _key(token, b"justification")),
            checks=self._checks,
            accounts=self._accounts,
            serving=Serving(dispatcher, Planner(self._health), self._recall, limit=MAX_BODY),
            device=self._device.id,
        )
        await self._observatory.start()
        self._tasks.spawn(self._standing.run(), name="standing")
        self._prepare()
        upgrades = UpgradeHandler(self.policy, transport, self._audit)
        server = self._server = GatewayServer(
            GatewayApp(
                handler,
                LocalPages(token, self._status, telemetry_pages(self._observatory)),
                self._observatory.running,
            ),
            upgrades,
            self._tasks,
        )
        engine = self._engine = Engine(attach=server.attach, mint=self._authority.leaf)
        door = Door(
            rules=lambda: self.policy.rules,
            engine=engine,
            processes=process_finder(),
            record=self._audit.append,
            tasks=self._tasks,
            ports=lambda: self._ports,
        )
        engine.report(on_trusted=door.trusted, on_distrusted=door.distrusted)
        engine.install(build_addons(engine))
        dialler = Dialler(self._resolve, settings.upstream_proxy)
        front = self._front = FrontDoor(door, dialler.dial, self._tasks)
        gateway_port = await server.listen("127.0.0.1", settings.gateway_port, _base_url_connection)
        self._ports = (await front.listen(settings.proxy_port), gateway_port)
        if self._authority.reissued:
            await self.note(IncidentKind.CA_REISSUED, "the device's intermediate certificate was issued")
        return RunFile(
            pid=os.getpid(),
            proxy_port=self._ports[0],
            gateway_port=gateway_port,
            started_at=self._started_at,
            state_dir=str(self._paths.root),
            ca_path=str(self._paths.root_certificate),
            version=__version__,
        )

    async def stop(self) -> None:
        """No new connections; running exchanges get their time; every event is flushed."""
        self._stopped.set()
        if self._server is not None:
            self._front.close()
            self._server.close()
            if cut := await self._server.drain(DRAIN_SECONDS):
                log.warning("%d exchanges were cut after %.0f s", cut, DRAIN_SECONDS)
            await self._engine.drain(LAST_BYTES_SECONDS)
        if self._dispatcher is not None:
            await self._dispatcher.aclose()
        if self._transport is not None:
            await self._transport.aclose()
        self._scans.close()
        await self._checks.aclose()
        await self._observatory.aclose()
        if self._ports[0]:
            await self.note(IncidentKind.AGENT_STOPPED, "Drawbridge was stopped in order")
        await self._tasks.cancel()
        if self._recall.cache is not None:
            await self._recall.cache.close()
        await self._accounts.close()
        await self._audit.close()

    async def _open_cache(self) -> None:
        """The cache that the policy asks for, where there is none yet. Another store takes a restart."""
        settings = self.policy.rules.policy.cache
        if self._recall.cache is not None or not settings.enabled:
            return
        try:
            cache = await asyncio.to_thread(make_cache, settings, self._paths, embedder=self._embedder)
            if cache is not None:
                await cache.open()
        except DrawbridgeError as error:
            log.error("there is no cache: %s", error)  # noqa: TRY400  said in full
            return
        self._recall.cache = cache

    def reload_soon(self) -> None:
        """SIGHUP: read the policy again, beside the running traffic."""
        self._tasks.spawn(self._reload(), name="reload")

    async def _reload(self) -> None:
        try:
            rules = await asyncio.to_thread(self.policy.reload)
            reissued = await asyncio.to_thread(self._authority.cover, rules.catalog.hosts)
        except DrawbridgeError as error:
            log.error("the policy was refused, the one in force stays: %s", error)  # noqa: TRY400  said in full
            await self.note(IncidentKind.POLICY_REFUSED, f"{error} {error.hint()}".strip())
            return
        policy = rules.policy
        await self._accounts.reload(policy.accounts)
        await self._open_cache()
        log.info("policy %s revision %d is in force", policy.id, policy.revision)
        self._prepare()
        await self.note(
            IncidentKind.POLICY_ACTIVATED,
            f"policy {policy.id} revision {policy.revision} is in force",
            (("policy", policy.id), ("hash", rules.digest)),
        )
        if reissued:
            await self.note(
                IncidentKind.CA_REISSUED, "the device's intermediate certificate covers other hosts now"
            )
        await self._observatory.apply(policy.telemetry)  # last: a collector that goes may take its time

    def _prepare(self) -> None:
        """Make ready what exchanges can go on without, but would wait for."""
        rules = self.policy.rules
        self._tasks.spawn(self._checks.prepare(rules.policy.checks), name="prepare-checks")
        self._tasks.spawn(asyncio.to_thread(_warm, rules, self._stopped), name="warm-rules")

    async def note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...] = ()) -> None:
        """Record an event of the agent itself."""
        now = time.time()
        try:
            await self._audit.append(
                Incident(id=uuid7(now), at=now, kind=kind, message=message, detail=detail)
            )
        except AuditError as error:
            log.error("audit event lost: %s", error)  # noqa: TRY400  said in full

    def _status(self) -> Mapping[str, object]:
        policy = self.policy.rules.policy
        assert self._server is not None
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started_at": self._started_at,
            "proxy_port": self._ports[0],
            "gateway_port": self._ports[1],
            "state_dir": str(self._paths.root),
            "policy": {
                "id": policy.id,
                "revision": policy.revision,
                "digest": self.policy.rules.digest,
                "mode": policy.mode.value,
                "source": str(self.policy.path),
            },
            "ca_fingerprint": self._authority.fingerprint,
            "hosts": len(self.policy.rules.catalog.hosts),
            "exchanges_running": self._server.active,
            "connections_intercepted": self._engine.connections,
            "audit_events": self._audit.count,
        }


class _Prices:
    """The prices of the policy in force. Implements `accounts.PriceSource`."""

    def __init__(self, policy: PolicyFile) -> None:
        self._policy = policy

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """See `PriceSource`."""
        return self._policy.book.cost(provider, model, tokens, at)


def _warm(rules: RuleBook, stopped: threading.Event) -> None:
    """Warm `rules` with pauses, so that other threads come to their turn; given up where the agent stops."""

    def pause() -> None:
        if stopped.wait(_PAUSE_SECONDS):
            raise _StoppedError

    with suppress(_StoppedError):
        rules.warm(pause)


class _StoppedError(Exception):
    """The agent is about to end."""


def _key(token: str, purpose: bytes) -> bytes:
    """A key of this machine for one purpose."""
    return hmac.new(token.encode(), purpose, hashlib.sha256).digest()


def _towards_services(settings: Settings, resolve: Mapping[tuple[str, int], tuple[str, int]]) -> HttpConfig:
    """How the services that a policy's checks ask are reached: as upstreams are."""
    proxy = parse_proxy(settings.upstream_proxy) if settings.upstream_proxy else None
    return HttpConfig(
        context=partial(client_context, settings.upstream_ca_file),
        resolve=resolve,
        proxy_url=proxy.url if proxy else "",
        proxy_authorization=proxy.authorization if proxy else "",
    )


def _base_url_connection() -> Connection:
    return Connection(id=uuid7(time.time()), tier=Tier.BASE_URL)


def run(settings: Settings, *, on_ready: Ready | None = None) -> None:
    """Run the agent in the foreground until it is told to stop."""

    async def main() -> None:
        await Daemon(settings, on_ready=on_ready).run()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())

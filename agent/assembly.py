"""What an agent and a central node share: the parts of the gateway, built once, stopped in order.

The rooms below the doors meet here. Nothing is looked up later: what a part needs, it is given. Doors (the agent's
front door, a node's listeners) are built by who owns an assembly.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent import __version__
from agent.accounts.accounts import Accounts
from agent.accounts.history import HistoryStore
from agent.accounts.stores import store_for
from agent.audit import Spool
from agent.caching.building import make_cache
from agent.catalog import bundled_harness
from agent.checks.runner import Checks
from agent.credentials import Credentials
from agent.errors import AuditError, DrawbridgeError
from agent.extraction import Extractor
from agent.gateway.app import GatewayApp
from agent.gateway.appearances import Appearances
from agent.gateway.asking import Asking
from agent.gateway.bodies import MAX_BODY
from agent.gateway.conversations import Conversations
from agent.gateway.direct import Direct
from agent.gateway.dispatch import Dispatcher
from agent.gateway.exchange import ExchangeHandler
from agent.gateway.filebook import FileBook
from agent.gateway.files import FileReader
from agent.gateway.late_facts import LateFacts
from agent.gateway.local import Guard, LocalPage, LocalPages, foreign
from agent.gateway.policy_file import Acceptance, Consequence, PolicyFile, anything, nothing
from agent.gateway.ports import AuditSink, Identities
from agent.gateway.scans import ScanPool
from agent.gateway.server import GatewayServer
from agent.gateway.services import towards_services
from agent.gateway.small_requests import SmallRequests
from agent.gateway.sockets.service import MAX_HELD, Sockets
from agent.gateway.sockets.surroundings import Room
from agent.gateway.sockets.surroundings import Surroundings as SocketSurroundings
from agent.gateway.standing import Standing
from agent.gateway.telemetry_pages import telemetry_pages
from agent.gateway.transport.base import Transport, TransportConfig
from agent.gateway.transport.dated import DatedTransport
from agent.gateway.transport.factory import build_transport
from agent.gateway.unified.embedding import GatewayEmbedder
from agent.gateway.unified.keys import Keys
from agent.gateway.unified.planning import Planner
from agent.gateway.unified.recall import Recall
from agent.gateway.unified.serving import Serving
from agent.gateway.upgrade import UpgradeHandler
from agent.gateway.warming import Warming
from agent.host.appearances import AppearanceFile
from agent.host.device import read_device
from agent.host.justifications import JustificationFile
from agent.host.known_time import KnownTime
from agent.host.paths import StatePaths, bundled_policies
from agent.host.runfile import control_token
from agent.host.secrets import read_secret
from agent.host.settings import Settings, Source
from agent.host.tasks import TaskGroup
from agent.model.conversation import TokenCount
from agent.model.ids import uuid7
from agent.model.record import Incident, IncidentKind
from agent.model.traffic import Connection, Tier
from agent.routing.health import HealthBook
from agent.telemetry.observatory import Observatory, Surroundings, Watching
from agent.telemetry.present import Snapshot

log = logging.getLogger(__name__)

KEEP_TIME_SECONDS = 60.0


class Assembly:
    """The parts in the order in which they are built; `aclose` stops them the other way round."""

    def __init__(
        self,
        settings: Settings,
        paths: StatePaths,
        *,
        accept: Acceptance = anything,
        token: str = "",
        on_device: bool = False,
        keeps_policy: bool = False,
    ) -> None:
        """Read the policy and what is on the disk. `accept` refuses policies that cannot be carried out here, `token`
        takes the place of the control token in `paths`. `on_device`: the programs of this machine that ask are
        remembered, and it may be long until one does. With `keeps_policy` the last policy that was in force is used
        where the one on the disk is refused. Blocks. Raises DrawbridgeError."""
        self._settings = settings
        self.paths = paths
        self.started_at = time.time()
        self.tasks = TaskGroup("engine")
        self._warming = Warming(self.tasks, waits=on_device)
        self.missing: dict[str, str] = {}
        """Parts that could not be built, and why."""
        self.policy = PolicyFile(policy_path(settings), accept, kept=paths.policy if keeps_policy else None)
        self.policy_problem = self.policy.problem
        """Why the policy on the disk was refused, while that is so."""
        providers = {
            **{surface.id: surface.provider for surface in self.policy.rules.catalog.surfaces},
            **{each.id: each.row.genai for each in self.policy.book.providers.values()},
        }
        device = self._device = replace(read_device(paths), groups=settings.device_groups)
        self.time = KnownTime(paths.clock)
        self.audit = Spool(paths, device=device, providers=providers, known=self.time.now)
        self._scans = ScanPool()
        self.resolve = {(r.host, r.port): (r.address, r.address_port) for r in settings.resolve}
        services = towards_services(settings)
        self._checks = Checks(services, read_secret)
        self._extractor = Extractor()
        section = self.policy.rules.policy.accounts
        store = store_for(section, state=paths.root, secret=read_secret, clock=self.time.now)
        self._history = store.kept if isinstance(store, HistoryStore) else None
        self.accounts = Accounts(
            section, store=store, prices=_Prices(self.policy), corrected=self.time.corrected
        )
        self._health = HealthBook()
        self._standing = Standing(self.accounts, self._health, self.audit)
        self.observatory = Observatory(
            Surroundings(
                secret=read_secret,
                http=services,
                snapshot=self._snapshot,
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
        self._token = token or control_token(paths)
        self._appearances = (
            Appearances(self.audit, AppearanceFile(paths.appearances), lambda: self.policy.rules.policy.apps)
            if on_device
            else None
        )
        self._recall = Recall(None, self.tasks)
        self._embedder: GatewayEmbedder | None = None
        self._dispatcher: Dispatcher | None = None
        self._transport: Transport | None = None
        self.server: GatewayServer | None = None

    async def start(
        self,
        status: Callable[[], Mapping[str, object]] | None = None,
        pages: Callable[[Mapping[str, LocalPage]], Mapping[str, LocalPage]] = dict,
        guard: Guard = foreign,
        identities: Identities | None = None,
    ) -> GatewayServer:
        """Build what needs the loop; the server that listens nowhere yet. `status` adds to what the status page tells
        (None: there is no such page, nor one of exchanges; the control API has both), `pages` to our own pages, `guard`
        says which requests of base-URL clients are not served, `identities` knows the programs behind connections.
        Raises DrawbridgeError."""
        settings = self._settings
        await self.audit.open()
        if self._appearances is not None:
            await self._appearances.open()
            self.tasks.spawn(self._appearances.run(), name="appearances")
        config = TransportConfig(
            resolve=self.resolve,
            ca_file=settings.upstream_ca_file,
            proxy_url=settings.upstream_proxy or "",
            direct=settings.upstream_direct,
        )
        transport = self._transport = DatedTransport(await build_transport(config), self.time.heard)
        await self.accounts.open()
        await self._tell_of_accounts()
        self.tasks.spawn(self._keep_time(), name="time")
        credentials = Credentials(read_secret, SmallRequests(transport), clock=time.monotonic, now=time.time)
        dispatcher = self._dispatcher = Dispatcher(transport, Keys(credentials), self._health)
        self._embedder = GatewayEmbedder(self.policy, dispatcher)
        await self._open_cache()
        audit: AuditSink = Watching(self._appearances or self.audit, self.observatory)
        if identities is not None:
            audit = LateFacts(audit, identities, lambda: self.policy.rules)
        asking = Asking(self.accounts, self._device, identities)
        handler = ExchangeHandler(
            policy=self.policy,
            transport=transport,
            audit=audit,
            secret=read_secret,
            scans=self._scans,
            capture_key=_key(self._token, b"capture"),
            conversations=Conversations(bundled_harness(), time.monotonic),
            justifications=JustificationFile(self.paths.justifications, _key(self._token, b"justification")),
            checks=self._checks,
            files=FileReader(self._extractor, self._scans, FileBook(time.monotonic)),
            accounts=self.accounts,
            asking=asking,
            serving=Serving(dispatcher, Planner(self._health), self._recall, limit=MAX_BODY),
        )
        await self.observatory.start()
        self.tasks.spawn(self._standing.run(), name="standing")
        self._prepare()
        own = pages(telemetry_pages(self.observatory, exchanges=status is not None))
        app = GatewayApp(
            handler,
            LocalPages(
                self._token,
                None if status is None else lambda: {**self.status(), **status()},
                own,
                guard,
            ),
            self.observatory.running,
            asking,
        )
        sockets = Sockets(
            SocketSurroundings(
                exchanges=handler,
                asking=asking,
                policy=self.policy,
                scans=self._scans,
                watch=self.observatory.running,
                room=Room(MAX_HELD),
            ),
            transport=transport,
            direct=Direct(transport, read_secret),
            accounts=self.accounts,
        )
        upgrades = UpgradeHandler(self.policy, transport, self.audit, asking, guard, sockets)
        self.server = GatewayServer(app, upgrades, self.tasks, on_client=self._warming.meet)
        return self.server

    async def aclose(self, last_words: str = "") -> None:
        """Stop everything; the server was drained. `last_words` go into the audit trail, every event is flushed."""
        self._warming.stop()
        if self._dispatcher is not None:
            await self._dispatcher.aclose()
        if self._transport is not None:
            await self._transport.aclose()
        self._scans.close()
        await self._checks.aclose()
        self._extractor.close()
        await self.observatory.aclose()
        if last_words:
            await self.note(IncidentKind.AGENT_STOPPED, last_words)
        await self.tasks.cancel()
        await asyncio.to_thread(self.time.keep)
        if self._appearances is not None:
            await self._appearances.save()
        if self._recall.cache is not None:
            await self._recall.cache.close()
        await self.accounts.close()
        await self.audit.close()

    async def reload(self, also: Consequence = nothing, path: Path | None = None) -> bool:
        """Read the policy again, or the one at `path`, beside the running traffic; whether it is in force now. `also`
        is carried out before it is, in a thread, and may refuse it (DrawbridgeError)."""
        try:
            rules = await asyncio.to_thread(partial(self.policy.reload, path, also=also))
        except DrawbridgeError as error:
            log.error("the policy was refused, the one in force stays: %s", error)  # noqa: TRY400  said in full
            self.policy_problem = str(error)
            await self.note(IncidentKind.POLICY_REFUSED, f"{error} {error.hint()}".strip())
            return False
        self.policy_problem = ""
        policy = rules.policy
        await self.accounts.reload(policy.accounts)
        await self._tell_of_accounts()
        await self._open_cache()
        log.info("policy %s revision %d is in force", policy.id, policy.revision)
        self._prepare()
        await self.note(
            IncidentKind.POLICY_ACTIVATED,
            f"policy {policy.id} revision {policy.revision} is in force",
            (("policy", policy.id), ("hash", rules.digest)),
        )
        self.tasks.spawn(self.observatory.apply(policy.telemetry), name="telemetry")
        return True

    async def _tell_of_accounts(self) -> None:
        """Say where what was used could not be taken up."""
        if damaged := self.accounts.damaged:
            self.accounts.damaged = ""
            await self.note(
                IncidentKind.ACCOUNTS_LOST,
                "the accounts could not be read: budgets and limits count from zero",
                (("kept", damaged),),
            )

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(KEEP_TIME_SECONDS)
            await asyncio.to_thread(self.time.keep)

    async def _open_cache(self) -> None:
        """The cache that the policy asks for, where there is none yet. Another store takes a restart."""
        settings = self.policy.rules.policy.cache
        if self._recall.cache is not None or not settings.enabled:
            return
        try:
            cache = await asyncio.to_thread(make_cache, settings, self.paths, embedder=self._embedder)
            if cache is not None:
                await cache.open()
        except DrawbridgeError as error:
            log.error("there is no cache: %s", error)  # noqa: TRY400  said in full
            self.missing["cache"] = f"there is no cache: {error}"
            return
        self._recall.cache = cache
        self.missing.pop("cache", None)

    def _prepare(self) -> None:
        """Make ready what exchanges can go on without, but would wait for."""
        rules = self.policy.rules
        self.tasks.spawn(self._checks.prepare(rules.policy.checks), name="prepare-checks")
        self._warming.prepare(rules)

    async def note(self, kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...] = ()) -> None:
        """Record an event of the agent itself."""
        now = time.time()
        try:
            await self.audit.append(
                Incident(id=uuid7(now), at=now, kind=kind, message=message, detail=detail)
            )
        except AuditError as error:
            log.error("audit event lost: %s", error)  # noqa: TRY400  said in full

    def _snapshot(self) -> Snapshot:
        """As the parts stand, with the history of usage."""
        found, history = self._standing(), self._history
        if history is None:
            return found
        return replace(found, usage_waiting=history.waiting, usage_dropped=history.dropped)

    def status(self) -> dict[str, object]:
        """What there is to tell of this process and its policy."""
        policy = self.policy.rules.policy
        assert self.server is not None
        return {
            "version": __version__,
            "pid": os.getpid(),
            "started_at": self.started_at,
            "state_dir": str(self.paths.root),
            "policy": {
                "id": policy.id,
                "revision": policy.revision,
                "digest": self.policy.rules.digest,
                "mode": policy.mode.value,
                "source": str(self.policy.path),
            },
            "exchanges_running": self.server.active,
            "audit_events": self.audit.count,
        }


def policy_path(settings: Settings) -> Path:
    """Where the policy is that these settings name, or the one that comes with the program."""
    return settings.policy or bundled_policies() / "default"


def policy_given(settings: Settings) -> str:
    """The policy that this process alone was told to use, empty where the settings of the machine say it."""
    origin = settings.origins.get("policy")
    told = origin is not None and origin.source in (Source.COMMAND_LINE, Source.ENVIRONMENT)
    return str(settings.policy) if told else ""


def base_url_connection() -> Connection:
    """A client that chose to come here."""
    return Connection(id=uuid7(time.time()), tier=Tier.BASE_URL)


class _Prices:
    """The prices of the policy in force. Implements `accounts.PriceSource`."""

    def __init__(self, policy: PolicyFile) -> None:
        self._policy = policy

    def cost(self, provider: str, model: str, tokens: TokenCount, at: float) -> int | None:
        """See `PriceSource`."""
        return self._policy.book.cost(provider, model, tokens, at)


def _key(token: str, purpose: bytes) -> bytes:
    """A key of this machine for one purpose."""
    return hmac.new(token.encode(), purpose, hashlib.sha256).digest()

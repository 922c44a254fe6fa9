"""One place to tell what happened, and to ask: the daemon builds it once, the audit trail's way in feeds it.

`Watching` stands before the audit trail, so that every record that is kept is counted as well, and nothing on the data
path has to know. Nothing here raises into an exchange.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from prometheus_client.metrics_core import Metric

from agent.checks.http import HttpConfig
from agent.checks.keys import KeyRing
from agent.checks.ports import CheckError
from agent.host.tasks import TaskGroup
from agent.model.record import AuditEvent, Exchange
from agent.model.traffic import Connection
from agent.policy.telemetry import Otlp, Telemetry
from agent.telemetry.metrics import Metrics
from agent.telemetry.present import NOTHING, Present, SnapshotSource
from agent.telemetry.recent import Line, Recent, Running, as_json

if TYPE_CHECKING:
    from agent.telemetry.genai import GenAiMetrics
    from agent.telemetry.otlp import OtlpExporter

log = logging.getLogger(__name__)


class AuditSink(Protocol):
    """The audit trail's way in (`agent.gateway.ports.AuditSink`)."""

    async def append(self, event: AuditEvent) -> None:
        """Raises AuditError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the observatory is told once. `secret` resolves references and may block."""

    secret: Callable[[str], str]
    http: HttpConfig  # how collectors are reached
    snapshot: SnapshotSource = lambda: NOTHING
    providers: Mapping[str, str] = field(default_factory=dict)  # GenAI provider name by id of ours
    resource: Mapping[str, str] = field(default_factory=dict)  # attributes of this machine
    clock: Callable[[], float] = time.time


class Observatory:
    """Counts, remembers and exports. For one event loop."""

    def __init__(self, surroundings: Surroundings, settings: Telemetry | None = None) -> None:
        """`settings` is the policy's section; `apply` brings later ones into force."""
        self._around = surroundings
        self._settings = settings or Telemetry()
        self._metrics = self._counting()
        self._recent = Recent(clock=surroundings.clock)
        self._keys = KeyRing(surroundings.secret, clock=time.monotonic)
        self._tasks = TaskGroup("telemetry")
        self._exporter: OtlpExporter | None = None
        self._genai: GenAiMetrics | None = None
        self._applying = asyncio.Lock()

    @property
    def settings(self) -> Telemetry:
        """The section in force."""
        return self._settings

    def observe(self, exchange: Exchange) -> None:
        """Tell of an exchange that has ended. Never raises."""
        try:
            self._recent.add(exchange)
            if self._metrics is not None:
                self._metrics.observe(exchange)
            if self._genai is not None:
                self._genai.observe(exchange)
            if self._exporter is not None:
                self._exporter.offer(exchange)
        except Exception:  # to count wrong is bad, to fail an exchange for it worse
            log.exception("exchange %s was not counted", exchange.id)

    def running(
        self, connection: Connection, *, host: str = "", path: str = "", answering: Callable[[], bool]
    ) -> AbstractContextManager[Running]:
        """A context for the time that an exchange runs; `answering` tells whether its answer has begun."""
        return self._recent.running(connection, host=host, path=path, answering=answering)

    def recent(self, since: int = 0, *, limit: int = 500) -> tuple[Line, ...]:
        """The exchanges that ended after the one of that number, oldest first."""
        return self._recent.since(since, limit=limit)

    @property
    def latest(self) -> int:
        """The number of the newest exchange that has ended."""
        return self._recent.latest

    def view(self, since: int = 0, *, limit: int = 500) -> dict[str, object]:
        """Everything that a live view shows, as JSON has it."""
        snapshot = self._around.snapshot()
        summary = asdict(self._recent.summary())
        if snapshot.spent_today_nano_usd is not None:
            summary["spent_today_nano_usd"] = snapshot.spent_today_nano_usd
        return {
            "now": self._around.clock(),
            "latest": self._recent.latest,
            "summary": summary,
            "running": self._recent.under_way(),
            "exchanges": [as_json(line) for line in self.recent(since, limit=limit)],
            "keys": [asdict(each) for each in snapshot.keys],
            "budgets": [asdict(each) for each in snapshot.budgets],
        }

    @property
    def counts(self) -> bool:
        """Whether the policy wants metrics."""
        return self._metrics is not None

    async def render_metrics(self) -> bytes:
        """The page that Prometheus reads, empty where nothing is counted. Written in a thread: it takes milliseconds,
        and reads what the system says of this process."""
        metrics = self._metrics
        if metrics is None:
            return b""
        return await asyncio.to_thread(metrics.exposition, self._look())

    async def may_scrape(self, token: bytes) -> bool:
        """Whether `token` is the one that the policy gives to scrapers."""
        reference = self._settings.metrics.token
        if reference is None or not token:
            return False
        try:
            wanted = await self._keys.read(reference)
        except CheckError as error:
            log.warning("the token for metrics cannot be read: %s", error)
            return False
        return hmac.compare_digest(token, wanted.encode())

    async def start(self) -> None:
        """Begin to export, where the policy names a collector."""
        async with self._applying:
            await self._export_to(self._settings.otlp)

    async def apply(self, settings: Telemetry) -> None:
        """Bring another section into force. What was counted is kept where what is counted stays the same."""
        async with self._applying:
            before, self._settings = self._settings, settings
            if before.metrics != settings.metrics:
                shape = ("enabled", "user_labels", "label_values")
                if any(getattr(before.metrics, name) != getattr(settings.metrics, name) for name in shape):
                    self._metrics = self._counting()
            if before.otlp != settings.otlp:
                await self._export_to(settings.otlp)

    async def aclose(self) -> None:
        """Send what is left, and stop."""
        async with self._applying:
            await self._export_to(None)

    def _counting(self) -> Metrics | None:
        wanted = self._settings.metrics
        if not wanted.enabled:
            return None
        return Metrics(label_values=wanted.label_values, user_labels=wanted.user_labels)

    def _look(self) -> Present:
        return Present(
            snapshot=self._around.snapshot(),
            in_flight=self._recent.in_flight,
            streams_open=self._recent.streams_open,
            exported=self._exporter.exported if self._exporter is not None else None,
        )

    async def _export_to(self, otlp: Otlp | None) -> None:
        exporter, self._exporter = self._exporter, None
        await self._tasks.cancel()
        if exporter is not None:
            await exporter.aclose()  # which sends the last metrics: only then may they go
        self._genai = None
        if otlp is None:
            return
        exporter = await asyncio.to_thread(self._exporter_to, otlp)
        self._exporter = exporter
        self._tasks.spawn(exporter.run(), name="otlp")

    def _exporter_to(self, otlp: Otlp) -> OtlpExporter:
        """Built in a thread: only who exports pays for loading protobuf."""
        from agent.telemetry.collector import HttpCollector
        from agent.telemetry.genai import GenAiMetrics
        from agent.telemetry.otlp import Means, OtlpExporter

        names = self._around.providers
        if otlp.metrics:
            self._genai = GenAiMetrics(names, label_values=self._settings.metrics.label_values)
        means = Means(
            collector=HttpCollector(self._around.http),
            keys=self._keys,
            name=lambda each: names.get(each, each),
            resource=self._around.resource,
            look=self._gathering,
            clock=self._around.clock,
        )
        return OtlpExporter(otlp, means)

    def _gathering(self) -> Callable[[], Iterable[Metric]]:
        metrics, genai, present = self._metrics, self._genai, self._look()

        def gather() -> Iterable[Metric]:
            if metrics is not None:
                yield from metrics.families(present)
            if genai is not None:
                yield from genai.families()

        return gather


class Watching:
    """An audit trail whose exchanges are observed: stands where the trail itself would."""

    def __init__(self, audit: AuditSink, observatory: Observatory) -> None:
        self._audit = audit
        self._observatory = observatory

    async def append(self, event: AuditEvent) -> None:
        """Record `event`, and count it whether or not that went well. Raises AuditError."""
        try:
            await self._audit.append(event)
        finally:
            if isinstance(event, Exchange):
                self._observatory.observe(event)

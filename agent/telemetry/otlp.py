"""Exports spans and metrics by OTLP over HTTP (protobuf), beside the traffic and never in its way.

What is offered waits as a record in a bounded queue; spans are built, packed and sent later, the heavy part in a
thread. A collector that is away costs traces (counted), never an exchange.
https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from prometheus_client.metrics_core import Metric

from agent import __version__
from agent.checks.ports import CheckError
from agent.errors import UpstreamError
from agent.model.record import Exchange
from agent.policy.telemetry import Otlp
from agent.telemetry.collector import Collector, Receipt
from agent.telemetry.points import points
from agent.telemetry.present import Exported
from agent.telemetry.spans import GenAiName, Value, error_of, key_values, spans
from agent.telemetry.trace_context import is_sampled

log = logging.getLogger(__name__)

CAPACITY = 2048  # traces that may wait
BATCH = 256  # traces of one request
_TRIES = 5
_FIRST_PAUSE = 1.0  # seconds, doubled with every try
_LONGEST_PAUSE = 60.0
_RETRYABLE = frozenset({429, 502, 503, 504})  # of the OTLP specification; everything else is final
_CREDENTIALS = frozenset({401, 403})
_LAST_SECONDS = 3.0

type Gather = Callable[[], Iterable[Metric]]


class Keys(Protocol):
    """Secrets behind references (`agent.checks.keys.KeyRing`)."""

    async def read(self, reference: str) -> str:
        """The secret. Raises CheckError, which says nothing of it."""
        ...

    def forget(self, reference: str) -> None:
        """Read it anew next time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What an exporter works with."""

    collector: Collector
    keys: Keys
    name: GenAiName  # the GenAI provider name of an id of ours
    resource: Mapping[str, Value]  # attributes of this machine and program
    look: Callable[[], Gather]  # called on the event loop; what it returns gathers metrics in a thread
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep


class OtlpExporter:
    """Sends to one collector. `offer` is for the data path, `run` for a task of its own."""

    def __init__(self, settings: Otlp, means: Means) -> None:
        self._settings = settings
        self._means = means
        self._began = means.clock()
        self._resource = Resource(attributes=key_values({**means.resource, **settings.resource}))
        self._scope = InstrumentationScope(name="drawbridge", version=__version__)
        self._queue: deque[Exchange] = deque()
        self._full = asyncio.Event()
        self._sent = self._dropped = self._failures = 0
        self._failing = False

    @property
    def exported(self) -> Exported:
        """What became of what was offered."""
        return Exported(
            spans=self._sent, dropped=self._dropped, failures=self._failures, waiting=len(self._queue)
        )

    def offer(self, exchange: Exchange) -> None:
        """Queue an exchange that has ended, if its trace is one of those that are sent."""
        settings = self._settings
        if not settings.traces:
            return
        if not error_of(exchange):
            if not (exchange.operation or exchange.model):
                return  # it asked no model and went well: nobody looks for it
            ratio = settings.sample_ratio
            if not is_sampled(exchange.trace, exchange_id=exchange.id, sample_ratio=ratio):
                return
        if len(self._queue) >= CAPACITY:
            self._dropped += 1
            return
        if exchange.prompt or exchange.answer:
            exchange = replace(
                exchange, prompt="", answer=""
            )  # not for spans: and what waits should be small
        self._queue.append(exchange)
        if len(self._queue) >= BATCH:
            self._full.set()

    async def run(self) -> None:
        """Send every so often, until cancelled. Never raises."""
        interval = self._settings.interval_seconds
        loop = asyncio.get_running_loop()
        due = loop.time() + interval
        while True:
            try:
                async with asyncio.timeout(max(due - loop.time(), 0)):
                    await self._full.wait()
            except TimeoutError:
                pass
            self._full.clear()
            await self._guarded(self._send_traces())
            if loop.time() >= due:
                due = loop.time() + interval
                await self._guarded(self._send_metrics())

    async def flush(self, *, tries: int = 1) -> None:
        """Send what there is, now."""
        await self._guarded(self._send_traces(tries=tries))
        await self._guarded(self._send_metrics())

    async def aclose(self) -> None:
        """Send the rest, if the collector takes it at once, and close."""
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                await self.flush()
        except TimeoutError:
            log.warning("the last telemetry could not be sent: the collector is too slow")
        await self._means.collector.aclose()

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:  # telemetry must not end because of one odd record
            log.exception("telemetry could not be exported")

    async def _send_traces(self, *, tries: int = _TRIES) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            try:
                count, body = await asyncio.to_thread(self._pack_traces, batch)
                receipt = await self._deliver("/v1/traces", body, tries=tries)
            except BaseException:
                self._dropped += len(batch)
                raise
            if receipt is None:
                self._dropped += len(batch)
                return  # the next ones would fare no better
            self._sent += count - _rejected(receipt)

    async def _send_metrics(self) -> None:
        if not self._settings.metrics:
            return
        gather = self._means.look()
        body = await asyncio.to_thread(self._pack_metrics, gather)
        await self._deliver("/v1/metrics", body, tries=1)  # they are cumulative: the next ones say it all

    def _pack_traces(self, batch: list[Exchange]) -> tuple[int, bytes]:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add(resource=self._resource)
        scope_spans = resource_spans.scope_spans.add(scope=self._scope)
        for exchange in batch:
            scope_spans.spans.extend(spans(exchange, self._means.name))
        return len(scope_spans.spans), gzip.compress(request.SerializeToString(), compresslevel=5)

    def _pack_metrics(self, gather: Gather) -> bytes:
        request = ExportMetricsServiceRequest()
        resource_metrics = request.resource_metrics.add(resource=self._resource)
        scope_metrics = resource_metrics.scope_metrics.add(scope=self._scope)
        scope_metrics.metrics.extend(points(gather(), began=self._began, now=self._means.clock()))
        return gzip.compress(request.SerializeToString(), compresslevel=5)

    async def _deliver(self, path: str, body: bytes, *, tries: int) -> Receipt | None:
        """The collector's receipt, None where it did not take `body`."""
        pause = _FIRST_PAUSE
        for left in reversed(range(tries)):
            problem, after = "", None
            try:
                receipt = await self._means.collector.post(
                    f"{self._settings.endpoint}{path}", await self._headers(), body
                )
            except UpstreamError as error:
                problem = str(error)
            except CheckError as error:  # a key that cannot be read will not be there in a second
                self._failed(str(error))
                return None
            else:
                if 200 <= receipt.status < 300:
                    return self._succeeded(receipt)
                problem, after = f"the collector answered {receipt.status}", receipt.retry_after
                if receipt.status not in _RETRYABLE:
                    self._forget_keys(receipt)
                    self._failed(problem)
                    return None
            self._failed(problem)
            if left:
                # spread, so that a fleet does not come back as one
                await self._means.sleep(
                    min(after if after is not None else pause * random.uniform(0.5, 1.5), _LONGEST_PAUSE)  # noqa: S311
                )
                pause *= 2
        return None

    async def _headers(self) -> dict[str, str]:
        fields = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
        for name, reference in self._settings.headers.items():
            fields[name] = await self._means.keys.read(reference)
        return fields

    def _forget_keys(self, receipt: Receipt) -> None:
        if receipt.status in _CREDENTIALS:
            for reference in self._settings.headers.values():
                self._means.keys.forget(reference)

    def _failed(self, problem: str) -> None:
        self._failures += 1
        if not self._failing:  # once, not every ten seconds
            log.warning("telemetry is not exported: %s", problem)
        self._failing = True

    def _succeeded(self, receipt: Receipt) -> Receipt:
        if self._failing:
            log.info("telemetry is exported again")
        self._failing = False
        return receipt


def _rejected(receipt: Receipt) -> int:
    """How many spans the collector says it did not keep."""
    try:
        said = ExportTraceServiceResponse.FromString(receipt.body)
    except Exception:  # no protobuf: some collectors answer JSON, or nothing of sense
        return 0
    return int(said.partial_success.rejected_spans)

"""Exports to a collector on loopback that reads protobuf."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable, Iterable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from prometheus_client.metrics_core import Metric

from agent.checks.http import HttpConfig
from agent.checks.ports import CheckError, Failure
from agent.host.tasks import TaskGroup
from agent.model.ids import uuid7
from agent.model.record import CaptureMode
from agent.policy.telemetry import Otlp
from agent.telemetry.collector import HttpCollector
from agent.telemetry.metrics import Metrics
from agent.telemetry.otlp import BATCH, CAPACITY, Means, OtlpExporter
from agent.telemetry.present import Present
from tests.fakes.audit import make_block, make_exchange
from tests.fakes.http_server import Clock, RawServer
from tests.fakes.otlp_receiver import OtlpReceiver, plain

BUSY = b"503 Busy"


class FakeKeys:
    """Implements `Keys`."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    async def read(self, reference: str) -> str:
        if reference == "env:MISSING":
            raise CheckError(Failure.CREDENTIALS, "the environment variable MISSING is not set")
        return f"value of {reference}"

    def forget(self, reference: str) -> None:
        self.forgotten.append(reference)


class House:
    """An exporter and the collector it sends to."""

    def __init__(self, port: int, receiver: OtlpReceiver) -> None:
        self.port = port
        self.receiver = receiver
        self.keys = FakeKeys()
        self.pauses: list[float] = []
        self.metrics = Metrics(process=False)
        self.collectors: list[HttpCollector] = []

    def exporter(self, **settings: object) -> OtlpExporter:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        def look() -> Callable[[], Iterable[Metric]]:
            return lambda: self.metrics.families(Present())

        self.collectors.append(HttpCollector(HttpConfig(context=ssl.create_default_context)))
        means = Means(
            collector=self.collectors[-1],
            keys=self.keys,
            name=lambda each: each,
            resource={"service.name": "drawbridge", "host.name": "laptop"},
            look=look,
            sleep=sleep,
        )
        return OtlpExporter(Otlp(endpoint=f"http://127.0.0.1:{self.port}", **settings), means)  # type: ignore[arg-type]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    receiver = OtlpReceiver()
    async with RawServer(receiver) as server:
        made = House(server.port, receiver)
        yield made
        for collector in made.collectors:
            await collector.aclose()


async def test_spans_and_metrics_arrive(house: House) -> None:
    exporter = house.exporter(
        headers={"x-api-key": "env:KEY"}, resource={"deployment.environment.name": "test"}
    )
    exchange = make_exchange(capture=CaptureMode.FULL, prompt="words of a person", answer="words of a model")
    exporter.offer(exchange)
    house.metrics.observe(exchange)
    await exporter.flush()
    assert [span.name for span in house.receiver.spans] == ["chat gpt-4o", "chat gpt-4o"]
    [export] = house.receiver.traces
    assert plain(export.resource_spans[0].resource.attributes) == {
        "service.name": "drawbridge",
        "host.name": "laptop",
        "deployment.environment.name": "test",
    }
    assert "drawbridge.requests" in house.receiver.metrics
    first = house.receiver.asked[0]
    assert first.header(b"content-type") == b"application/x-protobuf"
    assert first.header(b"x-api-key") == b"value of env:KEY"
    assert b"words of" not in export.SerializeToString()
    assert (exporter.exported.spans, exporter.exported.failures) == (2, 0)


async def test_what_is_not_wanted_is_not_sent(house: House) -> None:
    exporter = house.exporter(traces=False, metrics=False)
    exporter.offer(make_exchange())
    await exporter.flush()
    assert house.receiver.asked == []


async def test_the_ratio_samples_and_errors_are_always_sent(house: House) -> None:
    exporter = house.exporter(sample_ratio=0.0, metrics=False)
    for exchange in (make_exchange(), make_block(), make_exchange(status=500)):
        exporter.offer(exchange)
    exporter.offer(make_exchange(operation="", model=""))
    assert exporter.exported.waiting == 2
    half = house.exporter(sample_ratio=0.5)
    for number in range(400):
        half.offer(make_exchange(id=uuid7(number)))
    assert 120 < half.exported.waiting < 280


async def test_sign_in_and_the_like_make_no_traces(house: House) -> None:
    exporter = house.exporter()
    exporter.offer(make_exchange(operation="", model=""))
    assert exporter.exported.waiting == 0


async def test_a_full_queue_drops_and_counts(house: House) -> None:
    exporter = house.exporter()
    exchange = make_exchange()
    for _ in range(CAPACITY + 3):
        exporter.offer(exchange)
    assert (exporter.exported.waiting, exporter.exported.dropped) == (CAPACITY, 3)


async def test_a_busy_collector_is_asked_again_later(house: House) -> None:
    house.receiver.statuses = [BUSY, BUSY + b"\nretry-after: 9", b"429 Many"]
    exporter = house.exporter(metrics=False)
    exporter.offer(make_exchange())
    await exporter.flush(tries=5)
    assert len(house.receiver.spans) == 2
    first, told, last = house.pauses
    assert 0.5 <= first <= 1.5
    assert told == 9.0
    assert 2.0 <= last <= 6.0
    assert (exporter.exported.failures, exporter.exported.dropped) == (3, 0)


async def test_one_that_stays_busy_costs_the_traces(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.receiver.statuses = [BUSY] * 5
    exporter = house.exporter(metrics=False)
    exporter.offer(make_exchange())
    with caplog.at_level(logging.INFO):
        await exporter.flush(tries=5)
        assert exporter.exported.dropped == 1
        exporter.offer(make_exchange())
        await exporter.flush()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("agent")] == [
        "telemetry is not exported: the collector answered 503",
        "telemetry is exported again",
    ]


@pytest.mark.parametrize(
    "status", [b"400 Bad", b"401 No", b"404 None", b"307 Elsewhere\nlocation: http://127.0.0.1:1/"]
)
async def test_a_refusal_is_final(house: House, status: bytes) -> None:
    house.receiver.statuses = [status]
    exporter = house.exporter(metrics=False, headers={"authorization": "env:KEY"})
    exporter.offer(make_exchange())
    await exporter.flush(tries=5)
    assert (len(house.receiver.asked), exporter.exported.dropped) == (1, 1)
    assert house.keys.forgotten == (["env:KEY"] if b"401" in status else [])


async def test_without_its_key_nothing_is_sent(house: House) -> None:
    exporter = house.exporter(metrics=False, headers={"authorization": "env:MISSING"})
    exporter.offer(make_exchange())
    await exporter.flush(tries=5)
    assert (house.receiver.asked, exporter.exported.dropped, house.pauses) == ([], 1, [])


async def test_spans_that_the_collector_did_not_keep_do_not_count(house: House) -> None:
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    house.receiver.body = answer.SerializeToString()
    exporter = house.exporter(metrics=False)
    exporter.offer(make_exchange())
    await exporter.flush()
    assert exporter.exported.spans == 1
    house.receiver.body = b'{"no": "protobuf"}'
    exporter.offer(make_exchange())
    await exporter.flush()
    assert exporter.exported.spans == 3


async def test_it_sends_every_so_often_and_at_once_when_much_waits(house: House) -> None:
    clock, tasks = Clock(), TaskGroup("test")
    exporter = house.exporter(interval_seconds=60)
    tasks.spawn(exporter.run(), name="otlp")
    for _ in range(BATCH):
        exporter.offer(make_exchange())
    await _until(lambda: len(house.receiver.spans) == 2 * BATCH)
    assert house.receiver.metric_exports == []
    exporter.offer(make_exchange())
    await clock.advance(61)
    await _until(lambda: len(house.receiver.spans) == 2 * BATCH + 2 and house.receiver.metric_exports)
    await tasks.cancel()


async def test_the_rest_is_sent_at_the_end(house: House) -> None:
    exporter = house.exporter()
    exporter.offer(make_exchange())
    await exporter.aclose()
    assert len(house.receiver.spans) == 2
    assert len(house.receiver.metric_exports) == 1


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)

"""The one place that counts, remembers and exports."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any

import pytest

from agent.checks.http import HttpConfig
from agent.errors import AuditError, ConfigError
from agent.model.record import Served
from agent.policy.telemetry import Metrics as MetricsSection
from agent.policy.telemetry import Otlp, Telemetry
from agent.telemetry.observatory import Observatory, Surroundings, Watching
from agent.telemetry.present import Snapshot, SnapshotSource
from tests.fakes.audit import CONNECTION, FakeAudit, make_exchange, make_incident
from tests.fakes.http_server import RawServer
from tests.fakes.otlp_receiver import OtlpReceiver, plain
from tests.unit.telemetry.exposition import Page

COST = Served(cost_nano_usd=5)


def secret(reference: str) -> str:
    if reference == "env:TOKEN":
        return "scraper-token"
    raise ConfigError(f"{reference} is not set")


def built(settings: Telemetry | None = None, snapshot: SnapshotSource = Snapshot) -> Observatory:
    around = Surroundings(
        secret=secret,
        http=HttpConfig(context=ssl.create_default_context),
        snapshot=snapshot,
        providers={"openai": "openai.genai"},
        resource={"service.name": "drawbridge"},
    )
    return Observatory(around, settings)


async def test_an_exchange_is_counted_and_remembered() -> None:
    observatory = built()
    observatory.observe(make_exchange())
    assert Page(await observatory.render_metrics()).value("drawbridge_requests_total") == 1
    assert [line.number for line in observatory.recent()] == [1]
    assert observatory.recent(1) == ()


async def test_what_runs_is_in_the_view_and_among_the_metrics() -> None:
    observatory = built(snapshot=lambda: Snapshot(audit_waiting=4))
    with observatory.running(CONNECTION, path="/v1/x", answering=lambda: True):
        seen = Page(await observatory.render_metrics())
        view: dict[str, Any] = observatory.view()
    assert (seen.value("drawbridge_exchanges_in_flight"), seen.value("drawbridge_streams_open")) == (1, 1)
    assert seen.value("drawbridge_audit_spool_depth") == 4
    assert [one["path"] for one in view["running"]] == ["/v1/x"]


async def test_accounts_know_better_what_was_spent_today() -> None:
    own, told = built(), built(snapshot=lambda: Snapshot(spent_today_nano_usd=99))
    for observatory in (own, told):
        observatory.observe(make_exchange(served=COST))
    spent: list[Any] = [each.view()["summary"] for each in (own, told)]
    assert [each["spent_today_nano_usd"] for each in spent] == [5, 99]


async def test_where_metrics_are_off_nothing_is_counted() -> None:
    observatory = built(Telemetry(metrics=MetricsSection(enabled=False)))
    observatory.observe(make_exchange())
    assert not observatory.counts
    assert await observatory.render_metrics() == b""
    assert len(observatory.recent()) == 1


async def test_a_new_policy_keeps_the_counts_unless_it_counts_otherwise() -> None:
    observatory = built()
    observatory.observe(make_exchange())
    await observatory.apply(Telemetry(metrics=MetricsSection(token="env:TOKEN")))
    assert Page(await observatory.render_metrics()).value("drawbridge_requests_total") == 1
    await observatory.apply(Telemetry(metrics=MetricsSection(user_labels=True)))
    assert "drawbridge_requests_total" not in {
        each.name for each in Page(await observatory.render_metrics()).samples
    }
    assert observatory.settings.metrics.user_labels


async def test_scrapers_have_a_token_of_their_own() -> None:
    observatory = built(Telemetry(metrics=MetricsSection(token="env:TOKEN")))
    assert await observatory.may_scrape(b"scraper-token")
    assert not await observatory.may_scrape(b"scraper-token2")
    assert not await observatory.may_scrape(b"")
    assert not await built().may_scrape(b"scraper-token")
    lost = built(Telemetry(metrics=MetricsSection(token="env:GONE")))
    assert not await lost.may_scrape(b"scraper-token")


async def test_a_collector_comes_and_goes_with_the_policy() -> None:
    receiver = OtlpReceiver()
    async with RawServer(receiver) as server:
        observatory = built()
        await observatory.start()
        await observatory.apply(Telemetry(otlp=Otlp(endpoint=f"http://127.0.0.1:{server.port}")))
        observatory.observe(make_exchange())
        assert Page(await observatory.render_metrics()).value("drawbridge_otlp_waiting") == 1
        await observatory.apply(Telemetry())
        observatory.observe(make_exchange())
        await observatory.aclose()
    assert len(receiver.spans) == 2
    assert plain(receiver.spans[0].attributes)["gen_ai.provider.name"] == "openai.genai"
    assert {"drawbridge.requests", "gen_ai.client.operation.duration"} <= set(receiver.metrics)


async def test_what_cannot_be_counted_fails_no_exchange(caplog: pytest.LogCaptureFixture) -> None:
    observatory = built()
    with caplog.at_level(logging.ERROR):
        observatory.observe(make_exchange(timing=None))
    assert "was not counted" in caplog.text


async def test_the_audit_trail_is_watched() -> None:
    observatory, audit = built(), FakeAudit()
    watching = Watching(audit, observatory)
    await watching.append(make_exchange())
    await watching.append(make_incident())
    assert len(audit.events) == 2
    assert len(observatory.recent()) == 1


async def test_an_exchange_counts_though_its_event_was_lost() -> None:
    observatory, audit = built(), FakeAudit()
    watching = Watching(audit, observatory)
    audit.broken = True
    with pytest.raises(AuditError):
        await watching.append(make_exchange())
    audit.broken, audit.gate = False, asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await watching.append(make_exchange())
    assert len(observatory.recent()) == 2

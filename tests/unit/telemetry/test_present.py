"""Metrics of the present moment."""

from __future__ import annotations

from agent.telemetry.metrics import Metrics
from agent.telemetry.present import BudgetUse, Exported, KeyHealth, Present, Snapshot
from tests.unit.telemetry.exposition import page

METRICS = Metrics(process=False)


def test_keys_budgets_and_queues_are_told() -> None:
    snapshot = Snapshot(
        keys=(KeyHealth(provider="azure", key="eu", state="cooling", usable=False),),
        budgets=(BudgetUse(owner="team/search", unit="usd", period="month", used=4.5, limit=50),),
        audit_waiting=3,
        audit_events=9,
    )
    seen = page(METRICS, Present(snapshot=snapshot, in_flight=2, streams_open=1))
    assert seen.value("drawbridge_key_up", provider="azure", key="eu") == 0
    assert seen.value("drawbridge_key_state", provider="azure", key="eu", state="cooling") == 1
    assert seen.value("drawbridge_budget_used", owner="team/search", unit="usd", period="month") == 4.5
    assert seen.value("drawbridge_budget_limit", owner="team/search") == 50
    assert seen.value("drawbridge_audit_spool_depth") == 3
    assert seen.value("drawbridge_audit_events") == 9
    assert seen.value("drawbridge_exchanges_in_flight") == 2
    assert seen.value("drawbridge_streams_open") == 1


def test_a_key_that_is_named_twice_does_not_spoil_the_page() -> None:
    key = KeyHealth(provider="p", key="k", state="healthy", usable=True)
    assert page(METRICS, Present(snapshot=Snapshot(keys=(key, key)))).value("drawbridge_key_up") == 1


def test_exports_are_told_where_there_are_any() -> None:
    assert "drawbridge_otlp_spans" not in page(METRICS).families
    seen = page(METRICS, Present(exported=Exported(spans=5, dropped=2, failures=1, waiting=4)))
    assert seen.value("drawbridge_otlp_spans_total") == 5
    assert seen.value("drawbridge_otlp_dropped_total") == 2
    assert seen.value("drawbridge_otlp_failures_total") == 1
    assert seen.value("drawbridge_otlp_waiting") == 4

"""Exchanges as numbers."""

from __future__ import annotations

import time
from dataclasses import replace

from agent.model.content import Usage
from agent.model.decision import Action
from agent.model.record import Attempt, CacheUse, Exchange, Outcome, Served, Timing
from agent.telemetry.metrics import Metrics
from tests.fakes.audit import CONNECTION, decided, make_block, make_exchange
from tests.unit.telemetry.exposition import Page, page

USAGE = Usage(
    input_tokens=100, output_tokens=50, cache_read_tokens=20, cache_write_tokens=3, reasoning_tokens=7
)
ROUTED = Served(
    provider="openai",
    model="gpt-5",
    key="main",
    attempts=(
        Attempt(provider="azure", model="gpt-5", status=429, failure="rate_limited", ms=30),
        Attempt(provider="azure", model="gpt-5", failure="timeout", ms=30),
        Attempt(provider="openai", model="gpt-5", status=200, ms=200),
    ),
    cache=CacheUse.MISS,
    virtual_key="ci",
    cost_nano_usd=1_500_000_000,
)


def counted(*exchanges: Exchange, **settings: object) -> Page:
    metrics = Metrics(process=False, **settings)  # type: ignore[arg-type]
    for exchange in exchanges:
        metrics.observe(exchange)
    return page(metrics)


def test_an_exchange_is_counted_with_its_labels() -> None:
    seen = counted(make_exchange(served=ROUTED, usage=USAGE), make_exchange(served=ROUTED, usage=USAGE))
    assert (
        seen.value(
            "drawbridge_requests_total",
            provider="openai",
            model="gpt-5",
            dialect="openai-chat",
            operation="chat",
            outcome="completed",
            virtual_key="ci",
            app="codex-cli",
        )
        == 2
    )
    tokens = {
        kind: seen.value("drawbridge_tokens_total", kind=kind)
        for kind in ("input", "cache_write", "reasoning")
    }
    assert tokens == {"input": 200, "cache_write": 6, "reasoning": 14}
    assert seen.value("drawbridge_cost_usd_total", virtual_key="ci") == 3.0
    assert seen.value("drawbridge_cache_requests_total", result="miss") == 2


def test_our_own_time_stands_apart_from_the_providers() -> None:
    seen = counted(make_exchange())
    assert seen.value("drawbridge_overhead_seconds_sum") == 0.00075
    assert seen.value("drawbridge_overhead_seconds_bucket", le="0.0005") == 0
    assert seen.value("drawbridge_overhead_seconds_bucket", le="0.001") == 1
    assert seen.value("drawbridge_upstream_duration_seconds_sum") == 0.81
    assert seen.value("drawbridge_request_duration_seconds_sum") == 0.8125
    assert seen.value("drawbridge_time_to_first_token_seconds_sum") == 0.30025
    assert seen.value("drawbridge_inter_token_latency_seconds_count") == 1


def test_tries_are_told_apart_by_how_they_ended_and_where_the_next_went() -> None:
    seen = counted(make_exchange(served=ROUTED))
    assert seen.value("drawbridge_attempts_total", provider="azure", result="rate_limited") == 1
    assert seen.value("drawbridge_attempts_total", provider="openai", result="answered") == 1
    assert seen.value("drawbridge_retries_total", provider="azure") == 1
    assert seen.value("drawbridge_failovers_total", provider="azure") == 1


def test_errors_have_classes_and_blocks_are_none() -> None:
    seen = counted(make_exchange(status=429), make_block())
    assert seen.value("drawbridge_errors_total", error="429") == 1
    assert seen.labels("drawbridge_errors_total", "error") == {"429"}
    assert seen.value("drawbridge_requests_total", outcome="blocked") == 1


def test_decisions_and_findings_are_counted() -> None:
    seen = counted(
        make_exchange(decision=decided(Action.REDACT)),
        make_block(decision=decided(Action.BLOCK, applied=False)),
    )
    assert seen.value("drawbridge_guard_decisions_total", action="redact", applied="true") == 1
    assert seen.value("drawbridge_guard_decisions_total", action="block", applied="false") == 1
    assert (
        seen.value("drawbridge_guard_findings_total", family="secret", action="redact", where="prompt") == 2
    )


def test_users_are_no_label_unless_the_policy_wants_them() -> None:
    exchange = make_exchange(served=ROUTED, usage=USAGE)
    assert "alice" not in str(counted(exchange).samples)
    named = counted(exchange, user_labels=True)
    assert named.value("drawbridge_user_requests_total", user="alice", outcome="completed") == 1
    assert named.value("drawbridge_user_tokens_total", user="alice", kind="output") == 50
    assert named.value("drawbridge_user_cost_usd_total", user="alice") == 1.5


def test_made_up_models_do_not_fill_the_memory() -> None:
    guesses = [make_exchange(model=f"guess-{number}", status=404) for number in range(50)]
    seen = counted(*guesses, make_exchange(model="gpt-5"), label_values=10)
    models = seen.labels("drawbridge_requests_total", "model")
    assert len(models) == 5 + 2
    assert {"gpt-5", "other"} <= models
    assert seen.value("drawbridge_requests_total", model="other") == 45


def test_a_name_that_was_other_gets_its_own_when_it_is_answered() -> None:
    metrics = Metrics(process=False, label_values=5)
    for model in ("a", "b", "real"):
        metrics.observe(make_exchange(model=model, status=404))
    metrics.observe(make_exchange(model="real"))
    assert page(metrics).labels("drawbridge_requests_total", "model") == {"a", "b", "other", "real"}


def test_combinations_are_bounded_too() -> None:
    metrics = Metrics(process=False, max_series=20)
    for number in range(90):
        connection = replace(CONNECTION, app=f"app-{number}")
        metrics.observe(make_exchange(connection=connection, model=f"m-{number}"))
    assert len(metrics._series) <= 41
    assert sum(each.value for each in page(metrics).samples if each.name == "drawbridge_requests_total") == 90


def test_an_exchange_that_knows_nothing_is_counted() -> None:
    bare = make_exchange(
        model="",
        operation="",
        dialect="",
        usage=Usage(),
        outcome=Outcome.FAILED,
        status=None,
        timing=Timing(total_ms=1, overhead_ms=1),
        connection=replace(CONNECTION, process=None, app=""),
    )
    seen = counted(bare, user_labels=True)
    assert seen.value("drawbridge_requests_total", model="none", outcome="failed") == 1
    assert seen.value("drawbridge_errors_total", error="failed") == 1


def test_the_page_has_no_series_twice_and_none_of_creation_times() -> None:
    seen = counted(make_exchange(served=ROUTED), make_exchange())
    names = [(each.name, tuple(sorted(each.labels.items()))) for each in seen.samples]
    assert len(set(names)) == len(names)
    assert not [name for name, _ in names if name.endswith("_created")]
    assert seen.value("drawbridge_build_info") == 1


def test_the_process_itself_is_told_of() -> None:
    assert "python_info" in page(Metrics()).families


def test_to_count_costs_microseconds() -> None:
    """20 µs is the bar; a machine under load takes longer, but not five times as long."""
    metrics = Metrics(process=False)
    exchange = make_exchange(served=ROUTED, usage=USAGE, decision=decided(Action.REDACT))
    took = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(300):
            metrics.observe(exchange)
        took.append((time.process_time() - begun) / 300)
    assert min(took) < 100e-6

"""Spans from records."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agent.model.content import Usage
from agent.model.decision import Action, Decision
from agent.model.record import Attempt, CacheUse, Exchange, Outcome, Served
from agent.telemetry.spans import spans
from agent.telemetry.trace_context import child_of, span_of
from tests.fakes.audit import HIT, NOW, decided, make_block, make_exchange
from tests.fakes.otlp_receiver import plain

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVED = Served(
    provider="bedrock-eu",
    model="claude-sonnet",
    key="main",
    attempts=(
        Attempt(provider="openai", model="gpt-5", key="k", status=503, failure="overloaded", ms=100, at_ms=1),
        Attempt(provider="bedrock-eu", model="claude-sonnet", key="main", status=200, ms=200, at_ms=151),
    ),
    cache=CacheUse.MISS,
    virtual_key="ci",
    cost_nano_usd=2_500_000,
    rule="cheap-first",
)


def made(exchange: Exchange) -> list[Span]:
    return list(spans(exchange, lambda each: {"bedrock-eu": "aws.bedrock"}.get(each, each)))


def test_an_exchange_is_a_span_by_the_genai_conventions() -> None:
    exchange = make_exchange(
        request_id="req-1",
        conversation="c-1",
        answer_model="gpt-4o-2024-08-06",
        usage=Usage(input_tokens=10, output_tokens=5, cache_read_tokens=3, reasoning_tokens=1),
    )
    span, *_ = made(exchange)
    assert (span.name, span.kind) == ("chat gpt-4o", Span.SPAN_KIND_SERVER)
    assert span.start_time_unix_nano == int(NOW * 1000) * 1_000_000
    assert span.end_time_unix_nano - span.start_time_unix_nano == 812_500_000
    attributes = plain(span.attributes)
    reasons = attributes.pop("gen_ai.response.finish_reasons")
    assert [each.string_value for each in reasons.values] == ["stop"]  # type: ignore[attr-defined]
    assert (
        attributes.items()
        >= {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.request.stream": True,
            "gen_ai.conversation.id": "c-1",
            "gen_ai.usage.input_tokens": 10,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 3,
            "gen_ai.usage.reasoning.output_tokens": 1,
            "gen_ai.response.time_to_first_chunk": 0.30025,
            "server.address": "api.openai.com",
            "server.port": 443,
            "http.response.status_code": 200,
            "drawbridge.request.id": "req-1",
        }.items()
    )
    assert "error.type" not in attributes
    assert span.status.code == Status.STATUS_CODE_UNSET


def test_it_hangs_below_the_clients_span() -> None:
    exchange = make_exchange(trace=f"00-{TRACE}-{PARENT}-01")
    root, upstream = made(exchange)
    assert root.trace_id.hex() == upstream.trace_id.hex() == TRACE
    assert (root.parent_span_id.hex(), root.span_id.hex()) == (PARENT, span_of(exchange.id))
    assert upstream.parent_span_id == root.span_id
    assert upstream.span_id.hex() == child_of(span_of(exchange.id), 0)  # as it was sent on
    assert (root.flags & 0x300, upstream.flags & 0x300) == (0x300, 0x100)


def test_every_attempt_is_a_span_where_it_happened() -> None:
    root, first, second, cache = made(make_exchange(served=SERVED))
    assert (first.kind, first.name, second.name) == (
        Span.SPAN_KIND_CLIENT,
        "chat gpt-5",
        "chat claude-sonnet",
    )
    assert plain(first.attributes)["error.type"] == "overloaded"
    assert first.status.code == Status.STATUS_CODE_ERROR
    assert plain(second.attributes)["gen_ai.provider.name"] == "aws.bedrock"
    assert second.status.code == Status.STATUS_CODE_UNSET
    starts = [(each.start_time_unix_nano - root.start_time_unix_nano) / 1e6 for each in (first, second)]
    assert starts == pytest.approx([1, 151], abs=0.01)
    assert second.end_time_unix_nano == pytest.approx(root.end_time_unix_nano, abs=10_000)
    assert (cache.name, plain(cache.attributes)["drawbridge.cache.result"]) == ("cache lookup", "miss")
    assert (
        plain(root.attributes).items()
        >= {
            "gen_ai.provider.name": "aws.bedrock",
            "drawbridge.cost_usd": 0.0025,
            "drawbridge.virtual_key": "ci",
            "drawbridge.rule": "cheap-first",
            "drawbridge.attempts": 2,
        }.items()
    )
    assert "gen_ai.usage.input_tokens" not in plain(second.attributes)  # counted once, at the top


def test_attempts_that_do_not_say_when_follow_each_other() -> None:
    attempts = tuple(replace(each, at_ms=None) for each in SERVED.attempts)
    root, first, second, _ = made(make_exchange(served=replace(SERVED, attempts=attempts)))
    assert first.start_time_unix_nano == root.start_time_unix_nano + 750_000
    assert second.start_time_unix_nano == pytest.approx(first.end_time_unix_nano, abs=1000)


def test_what_the_rules_found_is_told_without_the_value() -> None:
    root, _, guard = made(
        make_exchange(decision=decided(Action.REDACT), prompt="secret words", answer="more")
    )
    assert (guard.name, guard.kind) == ("guardrails", Span.SPAN_KIND_INTERNAL)
    assert plain(guard.attributes)["drawbridge.decision.action"] == "redact"
    [event] = guard.events
    assert (
        plain(event.attributes).items()
        >= {
            "drawbridge.finding.family": "secret",
            "drawbridge.finding.type": "github_token",
            "drawbridge.finding.count": 2,
        }.items()
    )
    for span in (root, guard):
        assert b"secret words" not in span.SerializeToString()


def test_the_findings_of_one_span_are_bounded() -> None:
    *_, guard = made(make_exchange(decision=Decision(action=Action.ALERT, hits=(HIT,) * 40)))
    assert (len(guard.events), guard.dropped_events_count) == (32, 8)


@pytest.mark.parametrize(
    ("exchange", "error"),
    [
        (make_block(), "blocked"),
        (make_exchange(status=500), "500"),
        (make_exchange(outcome=Outcome.UPSTREAM_FAILED, error="words that are long"), "upstream_failed"),
    ],
)
def test_an_error_has_a_type_and_no_words(exchange: Exchange, error: str) -> None:
    root, *_ = made(exchange)
    assert plain(root.attributes)["error.type"] == error
    assert root.status.code == Status.STATUS_CODE_ERROR
    assert root.status.message == ""


def test_what_asked_no_model_is_named_by_its_method() -> None:
    root, *_ = made(make_exchange(operation="", model="", status=404, method="GET"))
    assert root.name == "GET"
    assert "gen_ai.operation.name" not in plain(root.attributes)


def test_what_was_never_sent_has_no_attempt() -> None:
    exchange = make_block()
    timing = replace(exchange.timing, upstream_ms=None)
    assert [span.name for span in made(replace(exchange, timing=timing))] == ["chat gpt-4o", "guardrails"]

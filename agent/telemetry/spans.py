"""Spans of an exchange, made from its record after the answer, as OTLP messages. Pure; no content.

Names are those of OpenTelemetry's GenAI semantic conventions (status Development, their state of November 2026). The
exchange is one span of kind SERVER, which has the tokens; each attempt a child of kind CLIENT; what the guardrails and
the cache did are children of kind INTERNAL. Ours stands under `drawbridge.`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agent.model.decision import Action
from agent.model.record import Attempt, CacheUse, Exchange, Outcome
from agent.telemetry.facts import app_of, failure_of, model_of, pace_of, provider_of
from agent.telemetry.trace_context import TraceContext, child_of, resumed

_MOST_HITS = 32
_LONGEST = 256  # characters of a text that comes from outside
_GUARDRAILS, _CACHE = 1000, 1001  # numbers of children, beyond those of attempts
_SAMPLED = 1
_IS_REMOTE = 0x300  # SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK and _IS_REMOTE_MASK
_TOKENS = (
    ("gen_ai.usage.input_tokens", "input_tokens"),
    ("gen_ai.usage.output_tokens", "output_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "cache_read_tokens"),
    ("gen_ai.usage.cache_creation.input_tokens", "cache_write_tokens"),
    ("gen_ai.usage.reasoning.output_tokens", "reasoning_tokens"),
)

type Value = str | int | float | bool | tuple[str, ...] | None
type GenAiName = Callable[[str], str]


def error_of(exchange: Exchange) -> str:
    """`error.type`: the class of failure; a block by policy ends the operation too."""
    return failure_of(exchange) or (Outcome.BLOCKED.value if exchange.outcome is Outcome.BLOCKED else "")


def spans(exchange: Exchange, name: GenAiName) -> Iterator[Span]:
    """The spans of an exchange, the outermost first. `name` gives the GenAI provider name of an id of ours."""
    context = resumed(exchange.trace, exchange_id=exchange.id)
    error = error_of(exchange)
    yield _span(
        context,
        span_id=context.span_id,
        parent_id=context.parent_id,
        title=_title(exchange.operation, model_of(exchange), exchange.method),
        kind=Span.SPAN_KIND_SERVER,
        begin=exchange.started_at,
        milliseconds=exchange.timing.total_ms,
        error=error,
        attributes={**_asked(exchange, name), **_answer(exchange), **_ours(exchange)},
    )
    yield from _attempts(exchange, context, name)
    if exchange.decision.action is not Action.ALLOW or exchange.decision.hits:
        yield _guardrails(exchange, context)
    if exchange.served.cache is not CacheUse.NONE:
        yield _span(
            context,
            span_id=child_of(context.span_id, _CACHE),
            parent_id=context.span_id,
            title="cache lookup",
            kind=Span.SPAN_KIND_INTERNAL,
            begin=exchange.started_at,
            milliseconds=0.0,
            attributes={"drawbridge.cache.result": exchange.served.cache.value},
        )


def key_values(attributes: Mapping[str, Value]) -> list[KeyValue]:
    """Attributes as OTLP has them, without those that are not known."""
    return [
        KeyValue(key=key, value=_any(value))
        for key, value in attributes.items()
        if value is not None and value != "" and value != ()
    ]


def _any(value: Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case tuple():
            return AnyValue(array_value=ArrayValue(values=[_any(each) for each in value]))
        case _:
            return AnyValue(string_value=_text(value or ""))


def _title(operation: str, model: str, method: str) -> str:
    return _text(f"{operation or 'chat'} {model}") if operation or model else _text(method)


def _asked(exchange: Exchange, name: GenAiName) -> dict[str, Value]:
    asks_a_model = bool(exchange.operation or exchange.model)
    port = exchange.connection.connect_port
    return {
        "gen_ai.operation.name": exchange.operation or "chat" if asks_a_model else None,
        "gen_ai.provider.name": name(provider_of(exchange)),
        "gen_ai.request.model": exchange.model,
        "gen_ai.request.stream": exchange.stream or None,
        "gen_ai.conversation.id": exchange.conversation or None,
        "server.address": exchange.host,
        "server.port": (port or 443) if exchange.host else None,
        "http.request.method": exchange.method,
        "http.response.status_code": exchange.status,
    }


def _answer(exchange: Exchange) -> dict[str, Value]:
    first = pace_of(exchange).first
    return {
        "gen_ai.response.model": exchange.answer_model or exchange.served.model,
        "gen_ai.response.finish_reasons": (exchange.finish_reason,) if exchange.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": first,
        **{key: getattr(exchange.usage, field) for key, field in _TOKENS},
    }


def _ours(exchange: Exchange) -> dict[str, Value]:
    served, decision = exchange.served, exchange.decision
    cost = served.cost_nano_usd
    return {
        "drawbridge.exchange.id": exchange.id,
        "drawbridge.request.id": exchange.request_id,
        "drawbridge.outcome": exchange.outcome.value,
        "drawbridge.app": app_of(exchange),
        "drawbridge.dialect": exchange.dialect,
        "drawbridge.provider": provider_of(exchange),
        "drawbridge.route": exchange.upstream,
        "drawbridge.rule": served.rule,
        "drawbridge.virtual_key": served.virtual_key,
        "drawbridge.team": served.team,
        "drawbridge.customer": served.customer,
        "drawbridge.attempts": len(served.attempts) or None,
        "drawbridge.cache.result": served.cache.value,
        "drawbridge.cost_usd": None if cost is None else cost * 1e-9,
        "drawbridge.estimated": served.estimated or None,
        "drawbridge.overhead_ms": exchange.timing.overhead_ms,
        "drawbridge.policy.id": exchange.policy_id,
        "drawbridge.decision.action": decision.action.word,
        "drawbridge.decision.applied": decision.applied,
    }


def _attempts(exchange: Exchange, context: TraceContext, name: GenAiName) -> Iterator[Span]:
    """One span for each try. Where the record does not say when one began, it follows the one before."""
    attempts = exchange.served.attempts or _relayed(exchange)
    at = min(exchange.timing.overhead_ms, exchange.timing.total_ms)
    for number, attempt in enumerate(attempts):
        at = attempt.at_ms if attempt.at_ms is not None else at
        last = number == len(attempts) - 1
        # an attempt is timed until its answer is committed to; the answer itself goes on
        took = attempt.ms if attempt.failure or not last else max(attempt.ms, exchange.timing.total_ms - at)
        yield _span(
            context,
            span_id=child_of(context.span_id, number),
            parent_id=context.span_id,
            title=_title(exchange.operation, attempt.model, exchange.method),
            kind=Span.SPAN_KIND_CLIENT,
            begin=exchange.started_at,
            after=at,
            milliseconds=took,
            error=attempt.failure,
            attributes={
                "gen_ai.operation.name": exchange.operation or "chat",
                "gen_ai.provider.name": name(attempt.provider),
                "gen_ai.request.model": attempt.model,
                "http.response.status_code": attempt.status or None,
                "drawbridge.provider": attempt.provider,
                "drawbridge.key": attempt.key,
                "drawbridge.attempt": number + 1,
            },
        )
        at += took


def _relayed(exchange: Exchange) -> tuple[Attempt, ...]:
    """The one try of an exchange that only went on to where it was bound for."""
    took = exchange.timing.upstream_ms
    if took is None:
        return ()
    failed = failure_of(exchange) if exchange.outcome is Outcome.UPSTREAM_FAILED else ""
    return (
        Attempt(
            provider=exchange.surface,
            model=exchange.model,
            status=exchange.status or 0,
            failure=failed,
            ms=took,
            at_ms=max(exchange.timing.total_ms - took, 0.0),
        ),
    )


def _guardrails(exchange: Exchange, context: TraceContext) -> Span:
    """What the rules found: one span for the work on both ways, one event for each hit."""
    decision = exchange.decision
    span = _span(
        context,
        span_id=child_of(context.span_id, _GUARDRAILS),
        parent_id=context.span_id,
        title="guardrails",
        kind=Span.SPAN_KIND_INTERNAL,
        begin=exchange.started_at,
        milliseconds=exchange.timing.overhead_ms,
        attributes={
            "drawbridge.decision.action": decision.action.word,
            "drawbridge.decision.applied": decision.applied,
            "drawbridge.decision.rules": decision.rule_ids[:_MOST_HITS],
        },
    )
    for hit in decision.hits[:_MOST_HITS]:
        attributes: dict[str, Value] = {
            "drawbridge.finding.family": hit.family.value,
            "drawbridge.finding.type": hit.type,
            "drawbridge.finding.rule": hit.rule,
            "drawbridge.finding.guardrail": hit.guardrail,
            "drawbridge.finding.where": hit.where.value,
            "drawbridge.finding.action": hit.action.word,
            "drawbridge.finding.count": hit.count,
            "drawbridge.finding.shadow": hit.shadow or None,
        }
        span.events.add(
            name="drawbridge.finding",
            time_unix_nano=span.start_time_unix_nano,
            attributes=key_values(attributes),
        )
    span.dropped_events_count = max(len(decision.hits) - _MOST_HITS, 0)
    return span


def _span(
    context: TraceContext,
    *,
    span_id: str,
    parent_id: str,
    title: str,
    kind: Span.SpanKind.ValueType,
    begin: float,
    milliseconds: float,
    attributes: Mapping[str, Value],
    after: float = 0.0,
    error: str = "",
) -> Span:
    """A span that begins `after` milliseconds past `begin` (Unix seconds)."""
    start = int(begin * 1e6) * 1000 + int(after * 1e6)
    remote = _IS_REMOTE if parent_id == context.parent_id and parent_id else 0x100
    span = Span(
        trace_id=bytes.fromhex(context.trace_id),
        span_id=bytes.fromhex(span_id),
        parent_span_id=bytes.fromhex(parent_id),
        flags=_SAMPLED | remote,
        name=title,
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(milliseconds * 1e6),
        attributes=key_values({**attributes, "error.type": error}),
    )
    if error:
        span.status.code = Status.STATUS_CODE_ERROR
    return span


def _text(value: str) -> str:
    short = value[:_LONGEST]
    return short if short.isascii() else short.encode("utf-8", "replace").decode()

"""The metrics of OpenTelemetry's GenAI semantic conventions, for export only: histograms with the buckets that the
conventions ask for. They are kept with the same library as those for Prometheus, in a registry of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.metrics_core import Metric

from agent.model.record import Exchange
from agent.telemetry.facts import answered, failure_of, model_of, pace_of, provider_of
from agent.telemetry.labels import OTHER, Bounded

_TOKENS = tuple(4.0**power for power in range(14))  # 1, 4, 16 … 67108864
_DURATION = tuple(0.01 * 2**power for power in range(14))  # 0.01, 0.02 … 81.92
_FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
_EACH = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "gen_ai_client_token_usage": "gen_ai.client.token.usage",
        "gen_ai_client_operation_duration": "gen_ai.client.operation.duration",
        "gen_ai_server_time_to_first_token": "gen_ai.server.time_to_first_token",
        "gen_ai_server_time_per_output_token": "gen_ai.server.time_per_output_token",
    }
)
ATTRIBUTES: Mapping[str, str] = MappingProxyType(
    {
        "operation": "gen_ai.operation.name",
        "provider": "gen_ai.provider.name",
        "model": "gen_ai.request.model",
        "kind": "gen_ai.token.type",
        "error": "error.type",
    }
)
UNITS: Mapping[str, str] = MappingProxyType({"gen_ai.client.token.usage": "{token}"})
"""Of every other one it is seconds."""


_MOST = 4096
type _Key = tuple[str, str, str, str]


class _Children(NamedTuple):
    """What is counted for one combination of labels."""

    labels: tuple[str, str, str]
    duration: Histogram
    input: Histogram
    output: Histogram


class GenAiMetrics:
    """Counts the exchanges that asked a model."""

    def __init__(self, name: Mapping[str, str] | None = None, *, label_values: int = 100) -> None:
        """`name` gives the GenAI provider names of ids of ours."""
        self._registry = registry = CollectorRegistry()
        self._name = name or {}
        self._providers, self._models, self._failures = (Bounded(label_values) for _ in range(3))
        self._operations = Bounded(50)
        self._known: dict[_Key, _Children] = {}
        which = ("operation", "provider", "model")

        def histogram(metric: str, text: str, buckets: tuple[float, ...], *more: str) -> Histogram:
            return Histogram(f"gen_ai_{metric}", text, (*which, *more), buckets=buckets, registry=registry)

        self._tokens = histogram(
            "client_token_usage", "Number of input and output tokens used.", _TOKENS, "kind"
        )
        self._duration = histogram(
            "client_operation_duration", "GenAI operation duration.", _DURATION, "error"
        )
        self._first = histogram("server_time_to_first_token", "Time to the first token of a stream.", _FIRST)
        self._each = histogram("server_time_per_output_token", "Time per token after the first.", _EACH)

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange that has ended."""
        if not exchange.operation:
            return
        failure = failure_of(exchange)
        key = (exchange.operation, provider_of(exchange), model_of(exchange), failure)
        children = self._known.get(key)
        if children is None:
            children = self._children(key, real=answered(exchange))
        children.duration.observe(exchange.timing.total_ms / 1e3)
        usage = exchange.usage
        if usage.input_tokens is not None:
            children.input.observe(usage.input_tokens)
        if usage.output_tokens is not None:
            children.output.observe(usage.output_tokens)
        first, each = pace_of(exchange)
        if first is not None:
            self._first.labels(*children.labels).observe(first)
        if each is not None:
            self._each.labels(*children.labels).observe(each)

    def _children(self, key: _Key, *, real: bool) -> _Children:
        operation, provider, model, failure = key
        labels = (
            self._operations.value(operation),
            self._providers.value(self._name.get(provider, provider), real=real),
            self._models.value(model, real=real),
        )
        children = _Children(
            labels=labels,
            duration=self._duration.labels(*labels, self._failures.value(failure) if failure else ""),
            input=self._tokens.labels(*labels, "input"),
            output=self._tokens.labels(*labels, "output"),
        )
        if OTHER not in labels:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = children
        return children

    def families(self) -> Iterable[Metric]:
        """What was counted."""
        return self._registry.collect()

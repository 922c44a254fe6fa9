"""Prometheus metrics, made from the record of an exchange when it closes. One registry of its own, nothing global.

An exchange costs some dozen increments on children that are looked up once: naming labels anew would take twice the
time. Every label is bounded (`labels.Bounded`), and so is the number of their combinations (`MAX_SERIES`).
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from agent import __version__
from agent.model.decision import Action
from agent.model.record import Attempt, CacheUse, Exchange, Outcome
from agent.telemetry.facts import (
    ANSWERED,
    answered,
    app_of,
    failure_of,
    model_of,
    pace_of,
    provider_of,
    tokens_of,
)
from agent.telemetry.labels import OTHER, Bounded
from agent.telemetry.present import Present, present_families

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
MAX_SERIES = 2000  # combinations of provider, model, dialect, operation, virtual key and app
_MAX_SHORTCUTS = 4096

_OVERHEAD = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 1.0)
_DURATION = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
# the two below: the buckets that the GenAI conventions of OpenTelemetry ask for, as far as they matter here
_FIRST_TOKEN = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0)
_EACH_TOKEN = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5)

type _Key = tuple[str, str, str, str, str, str]


class _Series:
    """The children of one combination of labels, made when first needed."""

    __slots__ = ("cost", "duration", "each_token", "first_token", "labels", "requests", "tokens", "upstream")

    def __init__(self, labels: _Key, families: _Families) -> None:
        provider, model, _, operation, virtual_key, _ = self.labels = labels
        self.requests: dict[Outcome, Counter] = {}
        self.tokens: dict[str, Counter] = {}
        self.duration = families.duration.labels(provider, model, operation)
        self.upstream = families.upstream.labels(provider, model)
        self.first_token: Histogram | None = None
        self.each_token: Histogram | None = None
        self.cost = families.cost.labels(provider, model, virtual_key)


class _Families:
    """Every metric that is counted here. Names and labels are part of the interface: dashboards use them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"drawbridge_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"drawbridge_{name}", text, labels, buckets=buckets, registry=registry)

        which = ("provider", "model")
        self.requests = counter(
            "requests",
            "Exchanges that ended.",
            *which,
            "dialect",
            "operation",
            "outcome",
            "virtual_key",
            "app",
        )
        self.errors = counter("errors", "Exchanges that failed, by class of error.", *which, "error")
        self.duration = histogram(
            "request_duration_seconds",
            "From a request's arrival to its answer's end.",
            _DURATION,
            *which,
            "operation",
        )
        self.overhead = histogram(
            "overhead_seconds", "Drawbridge's own work on an exchange, without waiting.", _OVERHEAD
        )
        self.upstream = histogram(
            "upstream_duration_seconds",
            "From the request's first byte sent to the answer's last.",
            _DURATION,
            *which,
        )
        self.first_token = histogram(
            "time_to_first_token_seconds",
            "From a request's arrival to a stream's first byte.",
            _FIRST_TOKEN,
            *which,
        )
        self.each_token = histogram(
            "inter_token_latency_seconds", "Between two tokens of a stream, on average.", _EACH_TOKEN, *which
        )
        self.tokens = counter(
            "tokens", "Tokens; cache and reasoning are parts.", *which, "virtual_key", "kind"
        )
        self.cost = counter("cost_usd", "US dollars, where there is a price.", *which, "virtual_key")
        self.cache = counter("cache_requests", "What the cache of answers did.", "result")
        self.attempts = counter("attempts", "Tries to have requests answered.", "provider", "result")
        self.retries = counter("retries", "Further tries with the same provider and model.", "provider")
        self.failovers = counter("failovers", "Requests that went on elsewhere.", "provider")
        self.decisions = counter("guard_decisions", "Exchanges by what was decided.", "action", "applied")
        self.findings = counter(
            "guard_findings", "Findings by family and action.", "family", "action", "where"
        )
        self.user_requests = counter(
            "user_requests", "Exchanges by account of this machine.", "user", "outcome"
        )
        self.user_tokens = counter("user_tokens", "Tokens by account of this machine.", "user", "kind")
        self.user_cost = counter("user_cost_usd", "US dollars by account of this machine.", "user")


class _Gathered(Collector):
    """Families that were gathered, in the form in which the library writes them down."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


class Metrics:
    """Counts exchanges. `observe` belongs to one thread; `families` and `exposition` may run in another."""

    def __init__(
        self,
        *,
        label_values: int = 100,
        user_labels: bool = False,
        process: bool = True,
        max_series: int = MAX_SERIES,
    ) -> None:
        self._registry = CollectorRegistry()
        if process:
            ProcessCollector(registry=self._registry)  # Linux only: elsewhere it finds nothing
            PlatformCollector(registry=self._registry)
            GCCollector(registry=self._registry)
        about = {"version": __version__, "python": platform.python_version()}
        Info("drawbridge_build", "The program that runs.", registry=self._registry).info(about)
        self._families = _Families(self._registry)
        self._overhead = self._families.overhead
        self._providers, self._models, self._apps, self._keys, self._users = (
            Bounded(label_values) for _ in range(5)
        )
        self._dialects, self._operations, self._failures = (Bounded(50) for _ in range(3))
        self._user_labels = user_labels
        self._max_series = max_series
        self._series: dict[_Key, _Series] = {}
        self._shortcuts: dict[_Key, _Series] = {}
        self._decisions: dict[tuple[Action, bool], Counter] = {}
        self._findings: dict[tuple[str, Action, str], Counter] = {}
        self._cache: dict[CacheUse, Counter] = {}
        self._attempts: dict[tuple[str, str], Counter] = {}
        self._moves: dict[tuple[str, bool], Counter] = {}

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange that has ended."""
        served, timing, outcome = exchange.served, exchange.timing, exchange.outcome
        key = (
            served.provider or exchange.surface,
            served.model or exchange.model,
            exchange.dialect,
            exchange.operation,
            served.virtual_key,
            app_of(exchange),
        )
        series = self._shortcuts.get(key) or self._admit(exchange, key)
        (series.requests.get(outcome) or self._outcome(series, outcome)).inc()
        series.duration.observe(timing.total_ms * 1e-3)
        self._overhead.observe(timing.overhead_ms * 1e-3)
        if timing.upstream_ms is not None:
            series.upstream.observe(timing.upstream_ms * 1e-3)
        self._observe_pace(series, exchange)
        for kind, count in (counted := tokens_of(exchange.usage)):
            (series.tokens.get(kind) or self._token(series, kind)).inc(count)
        if served.cost_nano_usd:
            series.cost.inc(served.cost_nano_usd * 1e-9)
        if served.cache is not CacheUse.NONE:
            (self._cache.get(served.cache) or self._used(served.cache)).inc()
        if served.attempts:
            self._observe_attempts(served.attempts)
        self._observe_decision(exchange)
        if failure := failure_of(exchange):
            provider, model, *_ = series.labels
            self._families.errors.labels(provider, model, self._failures.value(failure)).inc()
        if self._user_labels:
            self._observe_user(exchange, counted)

    def families(self, present: Present) -> Iterator[Metric]:
        """Everything there is to tell, without the `_created` series that nobody reads and that double the page."""
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric
        yield from present_families(present)

    def exposition(self, present: Present) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(_Gathered(self.families(present)))

    def _admit(self, exchange: Exchange, key: _Key) -> _Series:
        """The series of a combination that has no shortcut yet."""
        real = answered(exchange)
        labels: _Key = (
            self._providers.value(provider_of(exchange), real=real),
            self._models.value(model_of(exchange), real=real),
            self._dialects.value(exchange.dialect),
            self._operations.value(exchange.operation),
            self._keys.value(exchange.served.virtual_key, real=real),
            self._apps.value(app_of(exchange)),
        )
        if labels not in self._series and len(self._series) >= self._max_series:
            labels = (*labels[:4], OTHER, OTHER)
            if labels not in self._series and len(self._series) >= 2 * self._max_series:
                labels = (OTHER, OTHER, OTHER, OTHER, OTHER, OTHER)
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = _Series(labels, self._families)
        if OTHER not in labels:  # what is `other` today may get its name when it is answered
            if len(self._shortcuts) >= _MAX_SHORTCUTS:
                self._shortcuts.clear()
            self._shortcuts[key] = series
        return series

    def _outcome(self, series: _Series, outcome: Outcome) -> Counter:
        provider, model, dialect, operation, virtual_key, app = series.labels
        child = self._families.requests.labels(
            provider, model, dialect, operation, outcome.value, virtual_key, app
        )
        series.requests[outcome] = child
        return child

    def _token(self, series: _Series, kind: str) -> Counter:
        provider, model, _, _, virtual_key, _ = series.labels
        child = series.tokens[kind] = self._families.tokens.labels(provider, model, virtual_key, kind)
        return child

    def _used(self, cache: CacheUse) -> Counter:
        child = self._cache[cache] = self._families.cache.labels(cache.value)
        return child

    def _observe_pace(self, series: _Series, exchange: Exchange) -> None:
        first, each = pace_of(exchange)
        if first is not None:
            if series.first_token is None:
                series.first_token = self._families.first_token.labels(*series.labels[:2])
            series.first_token.observe(first)
        if each is not None:
            if series.each_token is None:
                series.each_token = self._families.each_token.labels(*series.labels[:2])
            series.each_token.observe(each)

    def _observe_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        before = None
        for attempt in attempts:
            tried = (attempt.provider, attempt.failure)
            (self._attempts.get(tried) or self._tried(*tried)).inc()
            if before is not None:
                same = before.provider == attempt.provider and before.model == attempt.model
                left = (before.provider, same)
                (self._moves.get(left) or self._moved(*left)).inc()
            before = attempt

    def _tried(self, provider: str, failure: str) -> Counter:
        named = self._providers.value(provider, real=not failure)
        child = self._families.attempts.labels(named, self._failures.value(failure) if failure else ANSWERED)
        if named != OTHER:
            self._attempts[provider, failure] = child
        return child

    def _moved(self, provider: str, same: bool) -> Counter:  # noqa: FBT001  two halves of a key
        named = self._providers.value(provider, real=False)
        child = (self._families.retries if same else self._families.failovers).labels(named)
        if named != OTHER:
            self._moves[provider, same] = child
        return child

    def _observe_decision(self, exchange: Exchange) -> None:
        decision = exchange.decision
        made = (decision.action, decision.applied)
        child = self._decisions.get(made)
        if child is None:
            applied = "true" if decision.applied else "false"
            child = self._decisions[made] = self._families.decisions.labels(decision.action.word, applied)
        child.inc()
        for hit in decision.hits:
            found = (hit.family, hit.action, hit.where)
            seen = self._findings.get(found)
            if seen is None:
                seen = self._findings[found] = self._families.findings.labels(
                    hit.family.value, hit.action.word, hit.where.value
                )
            seen.inc(hit.count)

    def _observe_user(self, exchange: Exchange, counted: list[tuple[str, int]]) -> None:
        process = exchange.connection.process
        user = self._users.value(process.user if process is not None else "")
        families = self._families
        families.user_requests.labels(user, exchange.outcome.value).inc()
        for kind, count in counted:
            families.user_tokens.labels(user, kind).inc(count)
        if exchange.served.cost_nano_usd:
            families.user_cost.labels(user).inc(exchange.served.cost_nano_usd * 1e-9)

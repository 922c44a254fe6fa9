"""The present moment: what is true now, asked of other rooms when somebody looks, never counted. And as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from agent.telemetry.labels import cleaned

_MOST = 500  # keys and budgets that are told of: beyond, a page grows without use


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHealth:
    """A key of a provider. `state` is a word of the router's: healthy, cooling, disabled, …"""

    provider: str
    key: str  # its name in the policy
    state: str
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetUse:
    """How much of a budget or limit is used up."""

    owner: str  # kind and id: virtual_key/ci, team/search, …
    unit: str  # usd, tokens, requests
    period: str  # minute, day, month, …
    used: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of the parts that count nothing themselves."""

    keys: tuple[KeyHealth, ...] = ()
    budgets: tuple[BudgetUse, ...] = ()
    spent_today_nano_usd: int | None = None  # None: what this process has seen itself
    audit_waiting: int = 0  # events that are not on the disk yet
    audit_events: int = 0
    usage_waiting: int | None = None  # rows that the history of usage lacks; None: there is none
    usage_dropped: int = 0


NOTHING = Snapshot()
type SnapshotSource = Callable[[], Snapshot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What became of what was to be sent to a collector, since the start."""

    spans: int = 0
    dropped: int = 0
    failures: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """One look at everything."""

    snapshot: Snapshot = NOTHING
    in_flight: int = 0
    streams_open: int = 0
    exported: Exported | None = None  # None: nothing is sent anywhere


def present_families(present: Present) -> Iterator[Metric]:
    """What a look saw."""
    snapshot = present.snapshot
    yield _gauge("exchanges_in_flight", "Exchanges that are running.", present.in_flight)
    yield _gauge("streams_open", "Answers that are being written.", present.streams_open)
    yield _gauge("audit_spool_depth", "Audit events that are not on the disk yet.", snapshot.audit_waiting)
    yield _gauge("audit_events", "Audit events that the store holds.", snapshot.audit_events)
    if snapshot.usage_waiting is not None:
        yield _gauge(
            "usage_history_waiting", "Rows that wait for the history's database.", snapshot.usage_waiting
        )
        yield _counter("usage_history_dropped", "Uses that found no room to wait.", snapshot.usage_dropped)
    yield from _keys(snapshot)
    yield from _budgets(snapshot)
    if (exported := present.exported) is not None:
        yield _counter("otlp_spans", "Spans that the collector took.", exported.spans)
        yield _counter("otlp_dropped", "Traces that were given up.", exported.dropped)
        yield _counter("otlp_failures", "Exports that failed.", exported.failures)
        yield _gauge("otlp_waiting", "Traces that wait to be sent.", exported.waiting)


def _keys(snapshot: Snapshot) -> Iterator[Metric]:
    usable = GaugeMetricFamily(
        "drawbridge_key_up",
        "Whether a provider's key is used (1) or left alone (0).",
        labels=("provider", "key"),
    )
    states = GaugeMetricFamily(
        "drawbridge_key_state", "1 for the state that a key is in.", labels=("provider", "key", "state")
    )
    # by label: one series that stands there twice, and Prometheus refuses the whole page
    known = {(cleaned(each.provider), cleaned(each.key)): each for each in snapshot.keys[:_MOST]}
    for labels, each in known.items():
        usable.add_metric(labels, float(each.usable))
        states.add_metric([*labels, cleaned(each.state)], 1.0)
    yield usable
    yield states


def _budgets(snapshot: Snapshot) -> Iterator[Metric]:
    labels = ("owner", "unit", "period")
    used = GaugeMetricFamily("drawbridge_budget_used", "How much of a budget is used up.", labels=labels)
    limit = GaugeMetricFamily("drawbridge_budget_limit", "How large a budget is.", labels=labels)
    known = {
        (cleaned(each.owner), cleaned(each.unit), cleaned(each.period)): each
        for each in snapshot.budgets[:_MOST]
    }
    for whose, each in known.items():
        used.add_metric(whose, each.used)
        limit.add_metric(whose, each.limit)
    yield used
    yield limit


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"drawbridge_{name}", text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"drawbridge_{name}", text, value=value)

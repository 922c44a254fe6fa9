"""Metrics as OTLP messages: families in the form of Prometheus, cumulative since the start. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from opentelemetry.proto.metrics.v1 import metrics_pb2
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from agent.telemetry import genai
from agent.telemetry.spans import key_values

_CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
_SECONDS = "s"


def points(families: Iterable[Family], *, began: float, now: float) -> Iterator[metrics_pb2.Metric]:
    """Every family that has a value. `began` and `now` are Unix seconds."""
    start, end = int(began * 1e9), int(now * 1e9)
    for family in families:
        metric = metrics_pb2.Metric(
            name=genai.NAMES.get(family.name, family.name.replace("drawbridge_", "drawbridge.", 1)),
            description=family.documentation,
        )
        metric.unit = genai.UNITS.get(metric.name, _SECONDS if _in_seconds(family.name) else "")
        samples = [each for each in family.samples if not each.name.endswith("_created")]
        match family.type:
            case "histogram":
                metric.histogram.aggregation_temporality = _CUMULATIVE
                metric.histogram.data_points.extend(_histograms(samples, start, end))
            case "counter":
                metric.sum.aggregation_temporality = _CUMULATIVE
                metric.sum.is_monotonic = True
                metric.sum.data_points.extend(_numbers(samples, start, end))
            case _:
                metric.gauge.data_points.extend(_numbers(samples, 0, end))
        if samples:
            yield metric


def _in_seconds(name: str) -> bool:
    return name in genai.NAMES or name.endswith("_seconds")


def _attributes(labels: Mapping[str, str], family: str) -> dict[str, str]:
    if family.startswith("gen_ai_"):
        return {genai.ATTRIBUTES.get(key, key): value for key, value in labels.items()}
    return dict(labels)


def _numbers(samples: list[Sample], start: int, end: int) -> Iterator[metrics_pb2.NumberDataPoint]:
    for sample in samples:
        yield metrics_pb2.NumberDataPoint(
            attributes=key_values(_attributes(sample.labels, sample.name)),
            start_time_unix_nano=start,
            time_unix_nano=end,
            as_double=sample.value,
        )


def _histograms(samples: list[Sample], start: int, end: int) -> Iterator[metrics_pb2.HistogramDataPoint]:
    """One point for each set of labels: the library lists its buckets, cumulative, then count and sum."""

    def whose(sample: Sample) -> tuple[tuple[str, str], ...]:
        return tuple((key, value) for key, value in sample.labels.items() if key != "le")

    for labels, group in groupby(samples, whose):
        bounds: list[float] = []
        counts: list[int] = []
        total, before = 0.0, 0
        family = ""
        for sample in group:
            family = sample.name
            if sample.name.endswith("_bucket"):
                bounds.append(float(sample.labels["le"]))
                counts.append(int(sample.value) - before)
                before = int(sample.value)
            elif sample.name.endswith("_sum"):
                total = sample.value
        yield metrics_pb2.HistogramDataPoint(
            attributes=key_values(_attributes(dict(labels), family)),
            start_time_unix_nano=start,
            time_unix_nano=end,
            count=before,
            sum=total,
            bucket_counts=counts,
            explicit_bounds=bounds[:-1],  # the last is infinity
        )

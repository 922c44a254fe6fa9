"""Metrics as OTLP has them."""

from __future__ import annotations

from opentelemetry.proto.metrics.v1 import metrics_pb2

from agent.telemetry.genai import GenAiMetrics
from agent.telemetry.metrics import Metrics
from agent.telemetry.points import points
from agent.telemetry.present import Present
from tests.fakes.audit import make_exchange
from tests.fakes.otlp_receiver import plain

BEGAN, NOW = 1000.0, 1060.0


def test_counters_are_sums_since_the_start() -> None:
    metrics = Metrics(process=False)
    for _ in range(3):
        metrics.observe(make_exchange())
    found = {each.name: each for each in points(metrics.families(Present(in_flight=2)), began=BEGAN, now=NOW)}
    requests = found["drawbridge.requests"].sum
    assert requests.is_monotonic
    assert requests.aggregation_temporality == metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
    [point] = requests.data_points
    assert (point.as_double, point.start_time_unix_nano, point.time_unix_nano) == (3, 10**12, 1060 * 10**9)
    assert plain(point.attributes)["model"] == "gpt-4o"
    assert found["drawbridge.exchanges_in_flight"].gauge.data_points[0].as_double == 2
    assert "drawbridge.errors" not in found  # nothing to tell


def test_histograms_have_a_count_for_each_bucket() -> None:
    metrics = GenAiMetrics()
    for model in ("a", "b", "b"):
        metrics.observe(make_exchange(model=model))
    found = {each.name: each for each in points(metrics.families(), began=BEGAN, now=NOW)}
    duration = found["gen_ai.client.operation.duration"]
    assert duration.unit == "s"
    first, second = duration.histogram.data_points
    assert (first.count, second.count, second.sum) == (1, 2, 1.625)
    assert len(first.bucket_counts) == len(first.explicit_bounds) + 1 == 15
    place = list(first.explicit_bounds).index(1.28)  # 812.5 ms
    assert second.bucket_counts[place] == sum(second.bucket_counts) == 2
    assert plain(first.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "a",
    }
    usage = found["gen_ai.client.token.usage"]
    assert usage.unit == "{token}"
    assert {plain(each.attributes)["gen_ai.token.type"] for each in usage.histogram.data_points} == {
        "input",
        "output",
    }

"""The metrics that the GenAI conventions name."""

from __future__ import annotations

from agent.model.record import Served
from agent.telemetry.genai import ATTRIBUTES, NAMES, GenAiMetrics
from tests.fakes.audit import make_exchange


def samples(metrics: GenAiMetrics) -> dict[str, dict[str, str]]:
    return {
        sample.name: sample.labels
        for family in metrics.families()
        for sample in family.samples
        if sample.name.endswith("_count")
    }


def test_every_name_and_label_has_its_place_in_the_conventions() -> None:
    metrics = GenAiMetrics({"eu": "aws.bedrock"})
    metrics.observe(make_exchange(served=Served(provider="eu", model="claude")))
    metrics.observe(make_exchange(status=500))
    families = {family.name for family in metrics.families()}
    assert families == set(NAMES)
    labels = {label for family in metrics.families() for each in family.samples for label in each.labels}
    assert labels - {"le"} == set(ATTRIBUTES)


def test_buckets_are_those_of_the_conventions() -> None:
    bounds: dict[str, list[str]] = {}
    metrics = GenAiMetrics()
    metrics.observe(make_exchange())
    for family in metrics.families():
        bounds[family.name] = [each.labels["le"] for each in family.samples if "le" in each.labels]
    assert bounds["gen_ai_client_operation_duration"][:3] == ["0.01", "0.02", "0.04"]
    assert bounds["gen_ai_client_operation_duration"][-2:] == ["81.92", "+Inf"]
    tokens = bounds["gen_ai_client_token_usage"]
    assert (tokens[0], tokens[13], len([each for each in tokens if each == "1.0"])) == (
        "1.0",
        "6.7108864e+07",
        2,
    )


def test_what_asked_no_model_is_not_counted() -> None:
    metrics = GenAiMetrics()
    metrics.observe(make_exchange(operation=""))
    assert samples(metrics) == {}

"""Telemetry in a policy: strict, and without secrets in it."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import load
from agent.policy.telemetry import Telemetry

HEAD = "schema_version: 1\nid: p\ntelemetry: "


def read(section: str) -> Telemetry:
    return load(f"{HEAD}{section}\n", source="p.yaml").telemetry


def errors(section: str) -> str:
    with pytest.raises(PolicyError) as caught:
        read(section)
    return str(caught.value)


def test_nothing_is_sent_anywhere_by_default() -> None:
    assert read("{}") == Telemetry()
    assert read("{}").otlp is None
    assert read("{}").metrics.enabled
    assert not read("{}").metrics.user_labels
    assert not read("{}").propagate


def test_a_collector_is_named_with_references_to_its_keys() -> None:
    otlp = read(
        "{otlp: {endpoint: 'https://otel.example.com:4318', headers: {X-Api-Key: 'env:K'}, sample_ratio: 0.1,"
        " resource: {deployment.environment.name: laptops}}}"
    ).otlp
    assert otlp is not None
    assert otlp.headers == {"x-api-key": "env:K"}
    assert (otlp.sample_ratio, otlp.interval_seconds, otlp.traces, otlp.metrics) == (0.1, 10.0, True, True)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("{otlp: {endpoint: 'http://otel.example.com'}}", "must start with https://"),
        ("{otlp: {}}", "endpoint"),
        ("{otlp: {endpoint: 'https://a.example', headers: {x: secret-value}}}", "must be a reference"),
        ("{otlp: {endpoint: 'https://a.example', headers: {host: 'env:K'}}}", "header"),
        ("{otlp: {endpoint: 'https://a.example', sample_ratio: 2}}", "sample_ratio"),
        ("{otlp: {endpoint: 'https://a.example', interval_seconds: 0}}", "interval_seconds"),
        ("{otlp: {endpoint: 'https://a.example', resource: {gen_ai.x: y}}}", "set here"),
        ("{otlp: {endpoint: 'https://a.example', resource: {'A b': y}}}", "lower-case"),
        ("{metrics: {token: abc}}", "must be a reference"),
        ("{metrics: {label_values: 1}}", "label_values"),
        ("{tracing: true}", "tracing"),
    ],
)
def test_mistakes_are_named(section: str, words: str) -> None:
    assert words in errors(section)

"""Checks in a policy: strict, without keys in them, and every key described."""

from __future__ import annotations

from typing import get_args

import pytest

from agent.errors import PolicyError
from agent.model.content import Where
from agent.policy import load
from agent.policy.checks import Check, LakeraCheck, OnnxCheck

HEAD = "schema_version: 1\nid: p\nchecks:\n  - {id: a, "
AZURE = "url: 'https://a.example', key: 'env:K'"
BEDROCK = "kind: bedrock, region: eu-central-1, guardrail: abc, "
TOKEN = "gh" + "p_" + "x" * 36


def errors(check: str, more: str = "") -> str:
    with pytest.raises(PolicyError) as caught:
        load(f"{HEAD}{check}}}\n{more}", source="p.yaml")
    return str(caught.value)


def read(check: str) -> Check:
    return load(f"{HEAD}{check}}}\n", source="p.yaml").checks[0]


def test_defaults_are_safe() -> None:
    check = read("kind: lakera, key: 'env:K'")
    assert isinstance(check, LakeraCheck)
    assert (check.redact_first, check.timeout_ms, check.on_error, check.where) == (
        True,
        800,
        None,
        tuple(Where),
    )
    assert (check.concurrency, check.breaker.failures, check.breaker.seconds) == (8, 5, 30)


@pytest.mark.parametrize(
    ("check", "wrong"),
    [
        ("kind: bedrok", "p.yaml:4: checks[0].kind: must be one of: bedrock, azure_content_safety,"),
        ("where: [prompt]", "p.yaml:4: checks[0].kind: this key is required"),
        ("kind: lakera, kye: x", "p.yaml:4: checks[0].kye: unknown key 'kye': did you mean 'key'?"),
        ("kind: onnx, folder: /m, url: x", "checks[0].url: unknown key 'url'"),
        ("kind: onnx, folder: models/m", "checks[0].folder: must be the absolute path of a folder"),
        ("kind: lakera, where: [promt]", "checks[0].where[0]: must be one of: prompt, tool_result, answer"),
        ("kind: lakera, where: []", "checks[0].where: must have at least 1 item"),
        ("kind: lakera, timeout_ms: 0", "checks[0].timeout_ms: must be greater than or equal to 10"),
        ("kind: webhook, url: 'http://a.example'", "checks[0].url: must start with https://"),
        ("kind: webhook, url: 'https://a.example', breaker: {x: 1}", "checks[0].breaker.x: unknown key 'x'"),
        (f"kind: azure_prompt_shields, {AZURE}, where: [answer]", "this service knows no answers"),
        (f"kind: azure_content_safety, {AZURE}, min_severity: 3", "min_severity: must be one of: 2, 4, 6"),
        ("kind: patronus, key: 'env:K', evaluators: []", "evaluators: must have at least 1 item"),
        ("kind: patronus, key: 'env:K', evaluators: [{evaluator: j, x: 1}]", "evaluators[0].x: unknown key"),
        (BEDROCK + "version: '1'", "needs exactly one of 'key', 'profile', or 'access_key'"),
        (BEDROCK + "version: '1', key: 'env:K', profile: p", "needs exactly one of"),
        (BEDROCK + "version: '1', access_key: 'env:K'", "'access_key' and 'secret_key' belong together"),
        (BEDROCK + "version: '1', profile: p, session_token: 'env:T'", "belongs to an 'access_key'"),
        (BEDROCK + "version: '01', profile: p", "must be a version's number in quotes"),
        (BEDROCK + "version: 1, profile: p", "version: must be text, not a number: write it in quotes"),
    ],
)
def test_each_mistake_is_named_with_its_place(check: str, wrong: str) -> None:
    assert wrong in errors(check)


@pytest.mark.parametrize("bad", ["a/b/../c", "a b", "a?x=1", "a%2e"])
def test_a_guardrail_cannot_lead_elsewhere(bad: str) -> None:
    assert "must be a guardrail's id or ARN" in errors(
        f"kind: bedrock, region: eu, guardrail: '{bad}', version: '1', profile: p"
    )


def test_a_region_is_part_of_a_host_and_nothing_else() -> None:
    assert "must be a region of AWS" in errors(
        "kind: bedrock, region: 'evil.example/', guardrail: a, version: '1', profile: p"
    )


def test_a_key_itself_is_refused_and_not_repeated() -> None:
    said = errors(f"kind: lakera, key: '{TOKEN}'")
    assert "a key itself must not stand in a policy" in said
    assert TOKEN not in said


def test_an_item_that_is_no_mapping_is_said_to_be_none() -> None:
    with pytest.raises(PolicyError, match=r"checks\[0\]: must be a mapping"):
        load("schema_version: 1\nid: p\nchecks: [1]\n", source="p.yaml")


def test_this_machine_may_be_asked_without_tls() -> None:
    assert read("kind: presidio, url: 'http://127.0.0.1:5002/'") is not None


def test_the_digest_is_of_the_whole_configuration() -> None:
    made = [read(f"kind: onnx, folder: /m{more}") for more in ("", ", windows: 6", ", windows: 7")]
    assert made[0].digest == made[1].digest != made[2].digest


def test_a_classifier_here_is_not_redacted_for() -> None:
    assert "redact_first" not in OnnxCheck.model_fields


def test_every_key_is_described() -> None:
    silent = [
        f"{kind.__name__}.{name}"
        for kind in get_args(get_args(Check)[0])
        for name, field in kind.model_fields.items()
        if name != "kind" and not field.description
    ]
    assert silent == []

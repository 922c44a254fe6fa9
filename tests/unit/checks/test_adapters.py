"""Every kind of check has its adapter, and building one does nothing yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import pytest

from agent.checks.adapters import Means, build_adapter
from agent.checks.onnx.worker import Worker
from agent.policy.checks import Check
from tests.fakes.services import FakeHttp, FakeKeys, check_of

KINDS = {
    "bedrock": "region: eu, guardrail: a, version: '1', profile: p",
    "azure_content_safety": "url: 'https://a.example', key: 'env:K'",
    "azure_prompt_shields": "url: 'https://a.example', key: 'env:K'",
    "openai_moderation": "key: 'env:K'",
    "patronus": "key: 'env:K', evaluators: [{evaluator: toxicity}]",
    "lakera": "key: 'env:K'",
    "presidio": "url: 'http://127.0.0.1:5002'",
    "webhook": "url: 'https://a.example'",
    "onnx": "folder: /nowhere",
}


@pytest.fixture
def means() -> Iterator[Means]:
    worker = Worker()
    yield Means(http=FakeHttp(), keys=FakeKeys(), worker=worker, clock=lambda: 0.0)
    worker.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_of_any_kind_gets_an_adapter_that_says_what_it_takes(kind: str, means: Means) -> None:
    adapter = build_adapter(check_of(f"{{id: a, kind: {kind}, {KINDS[kind]}}}"), means)
    assert adapter.limits.chars >= 1000
    assert adapter.limits.pieces >= 1


def test_no_kind_is_missing_here() -> None:
    union = get_args(Check)[0]
    assert {get_args(each.model_fields["kind"].annotation)[0] for each in get_args(union)} == set(KINDS)

"""Every kind of check has its adapter, and building one does nothing yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.adapters import Means, build_adapter
from agent.checks.onnx.worker import Worker
from agent.checks.ports import CheckError
from agent.model.content import Where
from agent.policy.checks import Check
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece

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


WORDS = (
    *(
        "action",
        "assessments",
        "contentPolicy",
        "filters",
        "type",
        "match",
        "detected",
        "topicPolicy",
        "topics",
    ),
    *("categoriesAnalysis", "category", "severity", "blocklistsMatch", "blocklistName", "userPromptAnalysis"),
    *("documentsAnalysis", "attackDetected", "results", "categories", "category_scores", "evaluation_result"),
    *("pass", "status", "flagged", "payload", "breakdown", "start", "end", "text", "detector_type", "score"),
    *("entity_type", "findings", "segment"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 30)
    | st.floats(0, 1)
    | st.sampled_from(("NONE", "BLOCKED", "GUARDRAIL_INTERVENED", "success", "0", "word", "")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=30,
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("onnx", "bedrock")] + ["bearer"])
@given(answer=JSON, where=st.sampled_from(Where))
def test_whatever_a_service_answers_is_a_verdict_that_can_be_or_a_failed_check(
    kind: str, answer: object, where: Where
) -> None:
    keys = "region: eu, guardrail: a, version: '1', key: 'env:K'" if kind == "bearer" else KINDS[kind]
    check = check_of(f"{{id: a, kind: {'bedrock' if kind == 'bearer' else kind}, {keys}}}")
    means = Means(http=FakeHttp(answer), keys=FakeKeys(), worker=Worker(), clock=lambda: 0.0)
    text = piece("a word or two")
    try:
        (marks,) = asyncio.run(build_adapter(check, means).ask(where, (text,)))
    except CheckError:
        return
    assert all(0 <= mark.start < mark.end <= len(text.text) and 0 < mark.score <= 1 for mark in marks)


def test_no_kind_is_missing_here() -> None:
    union = get_args(Check)[0]
    assert {get_args(each.model_fields["kind"].annotation)[0] for each in get_args(union)} == set(KINDS)

"""Patronus: what it is sent, and what is made of its answers."""

from __future__ import annotations

import pytest

from agent.checks.patronus import Patronus
from agent.checks.ports import CheckError, Mark
from agent.model.content import Where
from agent.policy.checks import PatronusCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import patronus

INJECTION = "{evaluator: judge, criteria: 'patronus:prompt-injection'}"


def adapter(http: FakeHttp) -> Patronus:
    check = check_of(
        f"{{id: a, kind: patronus, key: 'env:K', evaluators: [{INJECTION}, {{evaluator: toxicity}}]}}"
    )
    assert isinstance(check, PatronusCheck)
    return Patronus(check, http, FakeKeys())


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (Where.PROMPT, "evaluated_model_input"),
        (Where.TOOL_RESULT, "evaluated_model_input"),
        (Where.ANSWER, "evaluated_model_output"),
    ],
)
async def test_a_text_is_sent_as_what_it_is_and_nothing_is_to_be_kept(where: Where, field: str) -> None:
    http = FakeHttp(patronus(True, True))
    assert await adapter(http).ask(where, (piece("words"),)) == ((),)
    (posted,) = http.posted
    assert posted.url == "https://api.patronus.ai/v1/evaluate"
    assert posted.headers["X-API-KEY"] == "key-of-K"
    assert posted.json[field] == "words"
    assert posted.json["capture"] == "none"
    assert posted.json["evaluators"] == [
        {"evaluator": "judge", "criteria": "patronus:prompt-injection"},
        {"evaluator": "toxicity"},
    ]


async def test_an_evaluator_that_is_not_passed_is_a_finding() -> None:
    answer = await adapter(FakeHttp(patronus(False, True))).ask(Where.PROMPT, (piece("words"),))
    assert answer == ((Mark(start=0, end=5, category="patronus:prompt-injection"),),)


@pytest.mark.parametrize(
    "answer",
    [
        patronus(True),
        {"results": [{"status": "failed"}, {"status": "failed"}]},
        {"results": [{"evaluation_result": {"pass": None}}, {"evaluation_result": {"pass": True}}]},
        {"results": None},
    ],
)
async def test_an_evaluator_that_broke_has_passed_nothing(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, (piece("words"),))

"""OpenAI's moderation: what it is sent, and what is made of its answers."""

from __future__ import annotations

import pytest

from agent.checks.openai_moderation import Moderation
from agent.checks.ports import CheckError
from agent.model.content import Where
from agent.policy.checks import OpenAIModerationCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import moderation, moderations

ONE, TWO = piece("one"), piece("two!")


def adapter(http: FakeHttp, more: str = "") -> Moderation:
    check = check_of(f"{{id: a, kind: openai_moderation, key: 'env:K'{more}}}")
    assert isinstance(check, OpenAIModerationCheck)
    return Moderation(check, http, FakeKeys())


async def test_texts_are_sent_together_and_judged_one_by_one() -> None:
    http = FakeHttp(moderations(moderation(), moderation(hate=0.9, illicit_violent=0.6)))
    clean, harmful = await adapter(http).ask(Where.PROMPT, (ONE, TWO))
    (posted,) = http.posted
    assert posted.url == "https://api.openai.com/v1/moderations"
    assert posted.headers["Authorization"] == "Bearer key-of-K"
    assert posted.json == {"model": "omni-moderation-latest", "input": ["one", "two!"]}
    assert clean == ()
    assert {(mark.category, mark.score, mark.end) for mark in harmful} == {
        ("hate", 0.9, 4),
        ("illicit/violent", 0.6, 4),
    }


async def test_the_policy_may_choose_categories_and_a_score_of_its_own() -> None:
    answer = moderations(moderation(hate=0.9, violence=0.3))
    (marks,) = await adapter(FakeHttp(answer), ", categories: [violence]").ask(Where.PROMPT, (ONE,))
    assert marks == ()
    (marks,) = await adapter(FakeHttp(answer), ", min_score: 0.25").ask(Where.PROMPT, (ONE,))
    assert [mark.category for mark in marks] == ["hate", "violence"]


async def test_categories_that_a_model_does_not_know_are_null() -> None:
    result = moderation(hate=0.9)
    result["categories"] |= {"illicit": None}  # type: ignore[operator]
    (marks,) = await adapter(FakeHttp(moderations(result))).ask(Where.PROMPT, (ONE,))
    assert [mark.category for mark in marks] == ["hate"]


@pytest.mark.parametrize(
    "answer",
    [
        moderations(),
        moderations(moderation(), moderation()),
        moderations({"categories": {"hate": True}}),
        moderations({"categories": {"hate": True}, "category_scores": {"hate": 7}}),
        moderations({"categories": {"hate": "yes"}, "category_scores": {"hate": 0.7}}),
    ],
)
async def test_an_answer_of_another_shape_is_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, (ONE,))

"""Bedrock Guardrails: what is sent, and what is made of assessments."""

from __future__ import annotations

import pytest

from agent.checks.bedrock import Bedrock
from agent.checks.ports import CheckError, Failure, Mark
from agent.model.content import Where
from agent.policy.checks import BedrockCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import BEDROCK_ATTACK, BEDROCK_CLEAN, bedrock

TEXT = piece("Ann wrote to Ann about bluebird")
ARN = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123"


def adapter(http: FakeHttp, guardrail: str = "abc123") -> Bedrock:
    check = check_of(
        f"{{id: a, kind: bedrock, region: eu-central-1, guardrail: '{guardrail}', version: '2', key: 'env:K'}}"
    )
    assert isinstance(check, BedrockCheck)
    return Bedrock(check, http, FakeKeys(), clock=lambda: 0.0)


@pytest.mark.parametrize(
    ("where", "source"), [(Where.PROMPT, "INPUT"), (Where.TOOL_RESULT, "INPUT"), (Where.ANSWER, "OUTPUT")]
)
async def test_a_text_is_sent_as_input_or_output(where: Where, source: str) -> None:
    http = FakeHttp(BEDROCK_CLEAN)
    assert await adapter(http).ask(where, (TEXT,)) == ((),)
    (posted,) = http.posted
    assert posted.url == (
        "https://bedrock-runtime.eu-central-1.amazonaws.com/guardrail/abc123/version/2/apply"
    )
    assert posted.headers["Authorization"] == "Bearer key-of-K"
    assert posted.json == {"source": source, "content": [{"text": {"text": TEXT.text}}]}


async def test_an_arn_is_one_segment_of_the_path() -> None:
    http = FakeHttp(BEDROCK_CLEAN)
    await adapter(http, ARN).ask(Where.PROMPT, (TEXT,))
    assert "/guardrail/arn%3Aaws%3Abedrock%3Aeu-central-1%3A123456789012%3Aguardrail%2Fabc123/" in (
        http.posted[0].url
    )


async def test_a_content_filter_is_about_the_whole_text_with_its_confidence() -> None:
    ((mark,),) = await adapter(FakeHttp(BEDROCK_ATTACK)).ask(Where.PROMPT, (TEXT,))
    assert mark == Mark(start=0, end=len(TEXT.text), category="PROMPT_ATTACK", score=1.0)


async def test_what_was_matched_is_found_again_in_the_text_wherever_it_stands() -> None:
    answer = bedrock(
        wordPolicy={
            "customWords": [{"match": "bluebird", "action": "BLOCKED"}],
            "managedWordLists": [],
        },
        sensitiveInformationPolicy={
            "piiEntities": [{"match": "Ann", "type": "NAME", "action": "ANONYMIZED", "detected": True}],
            "regexes": [{"name": "ticket", "match": "not there", "regex": "x", "action": "BLOCKED"}],
        },
        topicPolicy={"topics": [{"name": "gossip", "type": "DENY", "action": "BLOCKED"}]},
    )
    (marks,) = await adapter(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))
    whole = (0, len(TEXT.text))
    assert {(mark.category, mark.start, mark.end) for mark in marks} == {
        ("WORD", 23, 31),
        ("NAME", 0, 3),
        ("NAME", 13, 16),
        ("ticket", *whole),
        ("gossip", *whole),
    }


async def test_a_filter_that_only_detects_is_a_finding_and_one_that_saw_nothing_is_none() -> None:
    filters = [
        {"type": "HATE", "confidence": "LOW", "action": "NONE", "detected": True},
        {"type": "SEXUAL", "confidence": "NONE", "action": "NONE", "detected": False},
        {"type": "INSULTS", "confidence": "LOW", "action": "NONE"},
    ]
    answer = {**BEDROCK_CLEAN, "assessments": [{"contentPolicy": {"filters": filters}}]}
    (marks,) = await adapter(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))
    assert [(mark.category, mark.score) for mark in marks] == [("HATE", 0.33)]


async def test_an_intervention_for_an_unknown_reason_is_still_one() -> None:
    (marks,) = await adapter(FakeHttp(bedrock(someNewPolicy={}))).ask(Where.PROMPT, (TEXT,))
    assert [mark.category for mark in marks] == ["GUARDRAIL_INTERVENED"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"action": "NONE"},
        {"action": "ALLOWED", "assessments": []},
        {"action": "NONE", "assessments": [{"contentPolicy": []}]},
        {"action": "NONE", "assessments": [{"contentPolicy": {"filters": [{"type": "HATE"}]}}]},
        {"action": "NONE", "assessments": [{"contentPolicy": {"filters": [{"action": "SHRUG"}]}}]},
        {"message": "<html>"},
    ],
)
async def test_an_answer_of_another_shape_is_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))


async def test_refused_credentials_are_a_failure_of_their_own() -> None:
    with pytest.raises(CheckError) as caught:
        await adapter(FakeHttp({"message": "no"}, status=403)).ask(Where.PROMPT, (TEXT,))
    assert caught.value.failure is Failure.CREDENTIALS

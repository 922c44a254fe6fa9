"""Azure AI Content Safety: what it is sent, and what is made of its answers."""

from __future__ import annotations

import pytest

from agent.checks.azure import ContentSafety, PromptShields
from agent.checks.ports import CheckError, Failure, Mark
from agent.model.content import Role, Where
from agent.policy.checks import AzureContentSafetyCheck, AzurePromptShieldsCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import AZURE_CLEAN, AZURE_HARM, SHIELD_DOCUMENT_ATTACK, SHIELD_PROMPT_ATTACK

BASE = "id: a, url: 'https://r.cognitiveservices.azure.com', key: 'env:K'"
TEXT = piece("some words")


def safety(http: FakeHttp, more: str = "") -> ContentSafety:
    check = check_of(f"{{{BASE}, kind: azure_content_safety{more}}}")
    assert isinstance(check, AzureContentSafetyCheck)
    return ContentSafety(check, http, FakeKeys())


def shields(http: FakeHttp) -> PromptShields:
    check = check_of(f"{{{BASE}, kind: azure_prompt_shields}}")
    assert isinstance(check, AzurePromptShieldsCheck)
    return PromptShields(check, http, FakeKeys())


async def test_a_text_is_sent_with_its_key_in_azures_own_header() -> None:
    http = FakeHttp(AZURE_CLEAN)
    assert await safety(http, ", blocklists: [codenames]").ask(Where.PROMPT, (TEXT,)) == ((),)
    (posted,) = http.posted
    assert posted.url == (
        "https://r.cognitiveservices.azure.com/contentsafety/text:analyze?api-version=2024-09-01"
    )
    assert posted.headers["Ocp-Apim-Subscription-Key"] == "key-of-K"
    assert posted.json == {
        "text": "some words",
        "categories": ["Hate", "SelfHarm", "Sexual", "Violence"],
        "outputType": "FourSeverityLevels",
        "blocklistNames": ["codenames"],
        "haltOnBlocklistHit": False,
    }


async def test_a_category_is_a_finding_from_the_severity_on_that_the_policy_says() -> None:
    (medium,) = await safety(FakeHttp(AZURE_HARM)).ask(Where.ANSWER, (TEXT,))
    assert [(mark.category, round(mark.score, 2)) for mark in medium] == [
        ("Violence", 0.67),
        ("codenames", 1),
    ]
    assert {(mark.start, mark.end) for mark in medium} == {(0, 10)}
    (low,) = await safety(FakeHttp(AZURE_HARM), ", min_severity: 2").ask(Where.ANSWER, (TEXT,))
    assert [mark.category for mark in low] == ["Hate", "Violence", "codenames"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"categoriesAnalysis": {}},
        {"categoriesAnalysis": [{"category": "Hate", "severity": "4"}]},
        {"categoriesAnalysis": [{"category": "Hate", "severity": 40}]},
        {"categoriesAnalysis": [{"category": None, "severity": 4}]},
        {"categoriesAnalysis": [], "blocklistsMatch": [1]},
    ],
)
async def test_an_answer_of_another_shape_is_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError) as caught:
        await safety(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))
    assert caught.value.failure is Failure.MALFORMED


async def test_prompts_are_shielded_as_prompts_one_by_one() -> None:
    http = FakeHttp(SHIELD_PROMPT_ATTACK)
    assert await shields(http).ask(Where.PROMPT, (piece("one"), piece("two!"))) == (
        (Mark(start=0, end=3, category="UserPromptAttack"),),
        (Mark(start=0, end=4, category="UserPromptAttack"),),
    )
    assert [posted.json for posted in http.posted] == [
        {"userPrompt": "one", "documents": []},
        {"userPrompt": "two!", "documents": []},
    ]


async def test_tool_results_are_shielded_as_documents_together() -> None:
    http = FakeHttp(SHIELD_DOCUMENT_ATTACK)
    pieces = (piece("one", Role.TOOL_RESULT), piece("two!", Role.TOOL_RESULT))
    assert await shields(http).ask(Where.TOOL_RESULT, pieces) == (
        (),
        (Mark(start=0, end=4, category="DocumentAttack"),),
    )
    assert [posted.json for posted in http.posted] == [{"userPrompt": "", "documents": ["one", "two!"]}]


@pytest.mark.parametrize(
    "answer",
    [
        {"documentsAnalysis": [{"attackDetected": False}]},  # about one of two
        {"documentsAnalysis": [{"attackDetected": False}, {"attackDetected": "yes"}]},
        {"documentsAnalysis": [{"attackDetected": False}, None]},
    ],
)
async def test_a_document_that_is_not_spoken_of_is_not_clean(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await shields(FakeHttp(answer)).ask(Where.TOOL_RESULT, (TEXT, TEXT))

"""The webhook's contract, as docs/checks.md promises it."""

from __future__ import annotations

import pytest

from agent.checks.ports import MAX_MARKS, CheckError, Mark
from agent.checks.webhook import Webhook
from agent.model.content import Role, Where
from agent.policy.checks import WebhookCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece

PIECES = (piece("first words"), piece("more words", Role.TOOL_RESULT))
FINDING = {"segment": "1", "start": 0, "end": 4, "type": "codename", "score": 0.9}


def adapter(http: FakeHttp) -> Webhook:
    check = check_of("{id: own, kind: webhook, url: 'https://guard.example/judge', key: 'env:K'}")
    assert isinstance(check, WebhookCheck)
    return Webhook(check, http, FakeKeys())


async def test_the_request_is_what_the_contract_says() -> None:
    http = FakeHttp({"findings": []})
    assert await adapter(http).ask(Where.TOOL_RESULT, PIECES) == ((), ())
    (posted,) = http.posted
    assert posted.url == "https://guard.example/judge"
    assert posted.headers["Authorization"] == "Bearer key-of-K"
    assert posted.json == {
        "version": 1,
        "check": "own",
        "direction": "tool_result",
        "segments": [
            {"id": "0", "role": "user", "text": "first words"},
            {"id": "1", "role": "tool_result", "text": "more words"},
        ],
    }


async def test_a_finding_has_a_place_or_is_about_its_whole_segment_and_no_action_binds() -> None:
    http = FakeHttp({"findings": [FINDING, {"segment": "0", "type": "t"}], "action": "allow"})
    assert await adapter(http).ask(Where.PROMPT, PIECES) == (
        (Mark(start=0, end=11, category="t"),),
        (Mark(start=0, end=4, category="codename", score=0.9),),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"segment": "2"},
        {"segment": "-1"},
        {"segment": "٠"},
        {"segment": 1},
        {"start": -1},
        {"end": 11},
        {"start": 4},
        {"end": None},
        {"score": 2},
        {"score": "high"},
        {"type": None},
    ],
)
async def test_a_finding_that_cannot_be_makes_the_whole_answer_worthless(change: dict[str, object]) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp({"findings": [{**FINDING, **change}]})).ask(Where.PROMPT, PIECES)


@pytest.mark.parametrize(
    "answer", [{}, [], {"findings": {}}, {"findings": [FINDING] * (MAX_MARKS + 1)}, b"<html>"]
)
async def test_an_answer_of_another_shape_is_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, PIECES)


async def test_a_type_is_cut_and_cleaned_for_it_goes_into_events() -> None:
    http = FakeHttp({"findings": [{"segment": "0", "type": "a\nb" + "c" * 100}]})
    ((mark,), _) = await adapter(http).ask(Where.PROMPT, PIECES)
    assert mark.category == "ab" + "c" * 61

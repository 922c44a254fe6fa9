"""Presidio: places are code points, and the end is outside."""

from __future__ import annotations

import pytest

from agent.checks.ports import CheckError
from agent.checks.presidio import Presidio
from agent.model.content import Where
from agent.policy.checks import PresidioCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import presidio

TEXT = piece("😀 Dr. Ann Müller called")


def adapter(http: FakeHttp, more: str = "") -> Presidio:
    check = check_of(f"{{id: a, kind: presidio, url: 'https://presidio.example'{more}}}")
    assert isinstance(check, PresidioCheck)
    return Presidio(check, http, FakeKeys())


async def test_a_text_is_sent_with_what_is_wished_for() -> None:
    http = FakeHttp([])
    wishes = ", language: de, entities: [PERSON], min_score: 0.6"
    assert await adapter(http, wishes).ask(Where.PROMPT, (TEXT,)) == ((),)
    (posted,) = http.posted
    assert posted.url == "https://presidio.example/analyze"
    assert posted.json == {
        "text": TEXT.text,
        "language": "de",
        "score_threshold": 0.6,
        "entities": ["PERSON"],
    }


async def test_places_are_code_points_up_to_the_end() -> None:
    http = FakeHttp([presidio("PERSON", 6, 16), presidio("PERSON", 0, len(TEXT.text), 0.2)])
    ((mark,),) = await adapter(http).ask(Where.PROMPT, (TEXT,))
    assert TEXT.text[mark.start : mark.end] == "Ann Müller"
    assert (mark.category, mark.score) == ("PERSON", 0.85)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [1],
        [presidio("PERSON", 6, len(TEXT.text) + 1)],
        [presidio("PERSON", -1, 3)],
        [presidio("PERSON", 6, 6)],
        [presidio("PERSON", 6, 16, 1.5)],
        [{"entity_type": "PERSON", "start": 6.0, "end": 16, "score": 1}],
        [{"entity_type": "PERSON", "start": True, "end": 16, "score": 1}],
    ],
)
async def test_places_outside_the_text_and_other_shapes_are_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))

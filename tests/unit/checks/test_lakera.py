"""Lakera Guard: what it is sent, and how its places are read."""

from __future__ import annotations

import pytest

from agent.checks.lakera import Lakera
from agent.checks.ports import CheckError, Mark
from agent.model.content import Role, Where
from agent.policy.checks import LakeraCheck
from tests.fakes.services import FakeHttp, FakeKeys, check_of, piece
from tests.fakes.vendor_answers import LAKERA_CLEAN, lakera

TEXT = piece("mail ann@example.com 😀 now")
START, END = 5, 20


def adapter(http: FakeHttp, more: str = "key: 'env:K', project: project-1") -> Lakera:
    check = check_of(f"{{id: a, kind: lakera, {more}}}")
    assert isinstance(check, LakeraCheck)
    return Lakera(check, http, FakeKeys())


def match(start: int, end: int, text: str | None = "ann@example.com") -> dict[str, object]:
    return {"start": start, "end": end, "text": text, "detector_type": "pii/email", "labels": []}


async def test_a_text_is_sent_as_a_message() -> None:
    http = FakeHttp(LAKERA_CLEAN)
    assert await adapter(http).ask(Where.PROMPT, (TEXT,)) == ((),)
    (posted,) = http.posted
    assert posted.url == "https://api.lakera.ai/v2/guard"
    assert posted.headers["Authorization"] == "Bearer key-of-K"
    assert posted.json == {
        "messages": [{"role": "user", "content": TEXT.text}],
        "project_id": "project-1",
        "breakdown": True,
        "payload": True,
    }


async def test_an_answer_is_sent_as_the_assistants_and_an_own_installation_needs_no_key() -> None:
    http = FakeHttp(LAKERA_CLEAN)
    own = adapter(http, "url: 'http://127.0.0.1:8000'")
    await own.ask(Where.ANSWER, (piece("words", Role.ASSISTANT),))
    (posted,) = http.posted
    assert posted.url == "http://127.0.0.1:8000/v2/guard"
    assert "Authorization" not in posted.headers
    assert posted.json["messages"] == [{"role": "assistant", "content": "words"}]


@pytest.mark.parametrize("end", [END, END - 1])
async def test_the_matched_text_decides_whether_the_end_is_inside(end: int) -> None:
    http = FakeHttp(lakera("pii/email", payload=[match(START, end)]))
    assert await adapter(http).ask(Where.PROMPT, (TEXT,)) == (
        (Mark(start=START, end=END, category="pii/email"),),
    )


async def test_places_that_count_in_other_units_are_found_by_the_matched_text() -> None:
    text = piece("😀 ann@example.com")
    http = FakeHttp(lakera("pii/email", payload=[match(5, 20)]))  # in bytes
    ((mark,),) = await adapter(http).ask(Where.PROMPT, (text,))
    assert text.text[mark.start : mark.end] == "ann@example.com"


async def test_a_text_that_stands_nowhere_is_about_the_whole() -> None:
    http = FakeHttp(lakera("pii/email", payload=[match(0, 3, "bob@example.com")]))
    assert await adapter(http).ask(Where.PROMPT, (TEXT,)) == (
        (Mark(start=0, end=len(TEXT.text), category="pii/email"),),
    )


async def test_without_the_matched_text_one_character_too_many_is_taken() -> None:
    http = FakeHttp(lakera("pii/email", payload=[match(START, END, None)]))
    ((mark,),) = await adapter(http).ask(Where.PROMPT, (TEXT,))
    assert (mark.start, mark.end) == (START, END + 1)


async def test_a_detector_without_places_is_about_the_whole_and_so_is_a_flag_without_detectors() -> None:
    ((attack,),) = await adapter(FakeHttp(lakera("prompt_attack"))).ask(Where.PROMPT, (TEXT,))
    assert (attack.category, attack.start, attack.end) == ("prompt_attack", 0, len(TEXT.text))
    ((flag,),) = await adapter(FakeHttp({"flagged": True})).ask(Where.PROMPT, (TEXT,))
    assert flag.category == "flagged"


async def test_what_lakera_does_not_flag_is_no_finding() -> None:
    http = FakeHttp({**lakera("pii/email", payload=[match(START, END)]), "flagged": False})
    assert await adapter(http).ask(Where.PROMPT, (TEXT,)) == ((),)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"flagged": 1},
        {"flagged": True, "payload": [match(-1, 3, None)]},
        {"flagged": True, "payload": [match(9, 9_000_000_000_000, None)] * 2 + [match(900, 901, None)]},
        {"flagged": True, "payload": [{"detector_type": "x", "start": "0", "end": 1}]},
        {"flagged": True, "breakdown": "all"},
    ],
)
async def test_an_answer_of_another_shape_is_no_verdict(answer: object) -> None:
    with pytest.raises(CheckError, match="malformed"):
        await adapter(FakeHttp(answer)).ask(Where.PROMPT, (TEXT,))

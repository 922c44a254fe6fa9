"""What the adapters of remote services share."""

from __future__ import annotations

import pytest

from agent.checks.ports import CheckError, Failure
from agent.checks.service import KeyHeader, Service, occurrences, whole
from tests.fakes.services import FakeHttp, FakeKeys, piece


async def test_a_document_is_posted_as_json_with_the_key_in_its_header() -> None:
    http = FakeHttp({})
    header = KeyHeader(name="X-Key", prefix="")
    await Service(http, FakeKeys(), "https://a.example/x", key="env:K", header=header).ask({"a": "é"})
    (posted,) = http.posted
    assert posted.url == "https://a.example/x"
    assert posted.headers == {"Content-Type": "application/json", "X-Key": "key-of-K"}
    assert posted.json == {"a": "é"}


async def test_without_a_key_nothing_is_sent_where_the_key_cannot_be_read() -> None:
    http = FakeHttp({})
    with pytest.raises(CheckError):
        await Service(http, FakeKeys(), "https://a.example", key="env:MISSING").ask({})
    assert http.posted == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_is_forgotten(status: int) -> None:
    keys = FakeKeys()
    with pytest.raises(CheckError) as caught:
        await Service(FakeHttp({}, status=status), keys, "https://a.example", key="env:K").ask({})
    assert caught.value.failure is Failure.CREDENTIALS
    assert keys.forgotten == ["env:K"]


def test_a_value_is_marked_wherever_it_stands() -> None:
    marks = occurrences(piece("aXbXc"), "X", "c", 0.5)
    assert [(mark.start, mark.end, mark.score) for mark in marks] == [(1, 2, 0.5), (3, 4, 0.5)]


@pytest.mark.parametrize("value", ["", "absent", "a"])
def test_a_value_that_stands_nowhere_or_everywhere_means_the_whole(value: str) -> None:
    text = piece("a" * 500)
    assert occurrences(text, value, "c") == (whole(text, "c"),)


def test_a_score_is_never_nothing() -> None:
    assert whole(piece("a"), "c", 0.0).score > 0

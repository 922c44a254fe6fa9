"""Streams in other frames than server-sent events: what holds for `test_streams` holds for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialects import DIALECTS
from agent.dialects.base import ParsedRequest
from agent.inspection import StreamInspector
from agent.model.decision import Action
from tests.fakes.framed_streams import FRAMED, ArrayText
from tests.fakes.rulebooks import BOMB, TOY, toy_scope

type Framed = ArrayText  # any of them

GONE = "[REDACTED:toy]"
words = st.sampled_from(
    [TOY, TOY[:7], TOY[4:], "TOY-", "Y-1234", "56", " ", "é", "😀", "\n", '"', "\\", "]", "},{"]
)
texts = st.lists(words, min_size=1, max_size=10).map("".join)
cuts = st.lists(st.integers(1, 9), min_size=1, max_size=8)
every = pytest.mark.parametrize("voice", FRAMED, ids=lambda voice: f"{type(voice).__name__}-{voice.dialect}")


def clean(text: str) -> str:
    for finding in reversed(toy_scope().rules.scan(text)):
        text = text[: finding.start] + GONE + text[finding.end :]
    return text


def inspector(voice: Framed) -> StreamInspector:
    dialect, request = DIALECTS[voice.dialect], ParsedRequest(stream=True)
    framing = dialect.framing_of(voice.media_type, request)
    assert framing is not None
    return StreamInspector(dialect, dialect.stream_reader(request), toy_scope(), framing=framing)


def cut[T: (str, bytes)](whole: T, sizes: Iterable[int]) -> list[T]:
    pieces: list[T] = []
    for size in itertools.cycle(sizes):
        if not whole:
            return pieces
        pieces.append(whole[:size])
        whole = whole[size:]
    return pieces


def through(judge: StreamInspector, chunks: Iterable[bytes]) -> bytes:
    return b"".join([*map(judge.feed, chunks), judge.finish()])


@every
def test_a_stream_without_findings_passes_byte_by_byte(voice: Framed) -> None:
    stream = b"".join(voice.events(["nothing ", "secret: ", "TOY-", "story"]))
    judge = inspector(voice)
    assert through(judge, cut(stream, [7])) == stream
    assert judge.decision().action is Action.ALLOW


@every
@given(text=texts, sizes=cuts, chunks=cuts)
def test_however_a_stream_is_cut_the_client_reads_the_same(
    voice: Framed, text: str, sizes: list[int], chunks: list[int]
) -> None:
    stream = b"".join(voice.events(cut(text, sizes)))
    out = through(inspector(voice), cut(stream, [size * 11 for size in chunks]))
    assert voice.heard(out) == clean(text)
    assert TOY.encode() not in out


@every
def test_what_holds_no_secret_keeps_its_bytes(voice: Framed) -> None:
    pieces = ["one ", TOY[:5], f"{TOY[5:]} three", " four"]
    out = through(inspector(voice), voice.events(pieces))
    assert voice.heard(out) == f"one {GONE} three four"
    assert voice.piece("one ") in out
    assert voice.piece(" four") in out


@every
def test_a_stopped_stream_tells_why_and_says_no_more(voice: Framed) -> None:
    judge = inspector(voice)
    sent = b"".join(
        map(judge.feed, voice.events(["All well ", "until ", BOMB[:6], BOMB[6:], " and ", "after"]))
    )
    assert judge.blocked
    assert judge.feed(voice.piece("more")) == judge.finish() == b""
    assert judge.decision().message in voice.said_last(sent)
    assert "after" not in voice.said_last(sent)


def test_an_array_that_is_stopped_at_once_is_an_array() -> None:
    voice = ArrayText()
    judge = inspector(voice)
    sent = b"".join(map(judge.feed, voice.events([f"{BOMB} "])))
    assert judge.blocked
    assert judge.decision().message in voice.said_last(sent)

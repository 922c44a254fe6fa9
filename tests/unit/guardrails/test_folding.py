"""Folding: the text as it reads, and the way back to the text as it came, however it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails.folding import KEPT_RUN, Folder, Folding

FOLDER = Folder()
ZERO = "\u200b"
CHARS = st.text(st.sampled_from("ab1 -я\\n" + ZERO + "\u00ad\u2019ｓａрос\U0001d41a\ud83d"), max_size=40)


def fold(*pieces: str) -> tuple[str, Folding]:
    folding = FOLDER.folding()
    return "".join([*(folding.feed(piece) for piece in pieces), folding.finish()]), folding


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("plain ASCII", "plain ASCII"),
        ("s\u200bk\u2060-\u00ada\ufeff", "sk-a"),
        ("ｓｋ－ａ１　ｂ", "sk-a1 b"),
        ("\U0001d42c\U0001d424\U0001d7cf", "sk1"),
        ("“don\u2019t”\u00a0555\u20110100", '"don\'t" 555-0100'),
        ("pаsswоrd", "password"),
        ("Привет, мир", "Привет, мир"),
        ("ключ ап", "ключ ап"),
        ("\\nІПН \\u0041рс", "\\nІПН \\u0041pc"),
        ("🙂 naïve", "🙂 naïve"),
    ],
    ids=[
        "ascii",
        "invisible",
        "full width",
        "mathematical",
        "typography",
        "mixed script",
        "russian",
        "words",
        "escapes",
        "other",
    ],
)
def test_a_text_reads_as_it_looks(text: str, folded: str) -> None:
    assert fold(text)[0] == folded


def test_a_long_run_of_invisible_characters_stays_to_be_found() -> None:
    assert fold("a" + ZERO * KEPT_RUN + "b")[0] == "a" + ZERO * KEPT_RUN + "b"
    assert fold("a" + ZERO * (KEPT_RUN - 1) + "b")[0] == "ab"


def test_a_foreign_letter_may_follow_a_long_run_in_a_piece_of_its_own() -> None:
    pieces, _ = fold("\xad" * 9, "\u043e")
    assert pieces == fold("\xad" * 9 + "\u043e")[0]


@given(CHARS, st.integers(1, 5))
def test_the_view_does_not_depend_on_the_pieces(text: str, size: int) -> None:
    whole, straight = fold(text)
    pieces, folding = fold(*(text[at : at + size] for at in range(0, len(text), size)))
    assert pieces == whole
    assert [folding.start(at) for at in range(len(whole) + 1)] == [
        straight.start(at) for at in range(len(whole) + 1)
    ]


@given(CHARS)
def test_offsets_lead_back_to_the_characters_they_stand_for(text: str) -> None:
    view, folding = fold(text)
    for place, char in enumerate(view):
        start, end = folding.start(place), folding.end(place + 1)
        assert end == start + 1
        assert char in (text[start], fold(text[start])[0], fold("1" + text[start])[0][1:])
    assert folding.start(len(view)) == len(text)


def test_what_is_pending_is_not_decided_yet() -> None:
    folding = FOLDER.folding()
    assert folding.feed("ab" + ZERO) == "ab"
    assert folding.start(2) == 2
    assert folding.feed("c") == "c"
    assert (folding.end(2), folding.start(2)) == (2, 3)

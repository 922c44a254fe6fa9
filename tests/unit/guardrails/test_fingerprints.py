"""Documents are recognised by parts of them, in any case and layout, and by nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.guardrails.fingerprints import SHINGLE, WINDOW, Index, Shingler, folded

SALT = bytes(range(16))
SHINGLER = Shingler(SALT)


def words(seed: int, count: int) -> list[str]:
    draw = random.Random(seed)
    return ["".join(draw.choices("abcdefghij", k=draw.randint(2, 7))) for _ in range(count)]


def hashes(text: str, shingler: Shingler = SHINGLER) -> list[int]:
    return sorted({each.hash for each in shingler.selected(shingler.tokens(text))})


def index(*documents: str, min_match: float = 0.3, min_shingles: int = 12) -> Index:
    return Index(
        SHINGLER, [hashes(each) for each in documents], min_match=min_match, min_shingles=min_shingles
    )


DOCUMENT = words(1, 600)
INDEX = index(" ".join(DOCUMENT), " ".join(words(2, 300)))


def test_a_pasted_part_is_found_where_it_stands() -> None:
    part = " ".join(DOCUMENT[100:400])
    text = f"{' '.join(words(3, 200))} {part} {' '.join(words(4, 200))}"
    (region,) = INDEX.regions(text)
    start = text.index(part)
    assert start <= region.start < region.end <= start + len(part)
    assert region.end - region.start > 0.8 * len(part)
    assert 0.4 < region.score < 0.6


def test_case_layout_and_punctuation_do_not_matter() -> None:
    text = "\r\n\t// ".join(word.upper() for word in DOCUMENT[100:400])
    (region,) = INDEX.regions(text)
    assert text[region.start : region.end].lower().split("\r\n\t// ")[0] in DOCUMENT


def test_two_parts_are_two_regions_and_other_text_is_none() -> None:
    between = " ".join(words(5, 300))
    text = f"{' '.join(DOCUMENT[:250])} {between} {' '.join(DOCUMENT[300:550])}"
    one, two = INDEX.regions(text)
    assert one.end < text.index(between) + len(between) <= two.start + 200
    assert not INDEX.regions(" ".join(words(6, 2_000)))
    assert not INDEX.regions("")


def test_a_sentence_is_too_little_of_a_long_document_but_enough_of_a_short_one() -> None:
    sentence = " ".join(DOCUMENT[200:270])
    assert not INDEX.regions(sentence)
    assert index(" ".join(DOCUMENT[190:300])).regions(sentence)
    assert index(" ".join(DOCUMENT), min_shingles=3).regions(sentence)


def test_shuffled_words_are_not_the_document() -> None:
    shuffled = DOCUMENT.copy()
    random.Random(7).shuffle(shuffled)
    assert not INDEX.regions(" ".join(shuffled))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 500), st.lists(st.sampled_from(["x", "y", "zz"]), max_size=40))
def test_so_many_shared_words_share_a_selected_shingle(start: int, before: list[str]) -> None:
    part = DOCUMENT[start : start + SHINGLE + WINDOW - 1]
    shared = set(hashes(" ".join(before + part + before[::-1]))) & set(hashes(" ".join(DOCUMENT)))
    assert shared or len(part) < SHINGLE + WINDOW - 1


def test_few_shingles_are_selected() -> None:
    count = len(SHINGLER.selected(DOCUMENT))
    assert len(DOCUMENT) / WINDOW < count < 3 * len(DOCUMENT) / WINDOW
    assert len(SHINGLER.selected(["same"] * 600)) < 60  # equals are selected once a window
    assert SHINGLER.selected(DOCUMENT[: SHINGLE - 1]) == []
    assert len(SHINGLER.selected(DOCUMENT[:SHINGLE])) == 1


def test_under_another_salt_or_secret_nothing_is_shared() -> None:
    text = " ".join(DOCUMENT)
    mine = set(hashes(text))
    for other in (Shingler(b"x" * 16), Shingler(SALT, b"secret")):
        assert not mine & set(hashes(text, other))
        assert other.tag(b"check") != SHINGLER.tag(b"check")


@pytest.mark.parametrize("word", ["straße", "İstanbul", "ﬁx", "ΑΣ", "日本語", "a\u0301"])
def test_folding_keeps_every_offset(word: str) -> None:
    text = f"{word} {' '.join(DOCUMENT[:300])}"
    assert len(folded(text)) == len(text)
    (region,) = INDEX.regions(text)
    assert text[region.start : region.end].split()[0] in DOCUMENT


def test_scripts_without_spaces_are_told_apart_by_character() -> None:
    draw = random.Random(8)
    text = "".join(chr(draw.randint(0x4E00, 0x9FA5)) for _ in range(400))
    (region,) = index(text).regions(f"……{text[50:350]}。")
    assert region.end - region.start > 240

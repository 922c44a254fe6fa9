"""What tells prompts apart that an embedding takes for the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.caching.particulars import difference, particulars

DATA = Path(__file__).parents[2] / "data" / "cache" / "paraphrases.jsonl"
LONG = "Rewrite: our office moves next month, boxes arrive soon, label every desk, chair, lamp, screen, cable, and "
PAIRS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ("Convert 5 miles to km", "Convert 6 miles to km", "numbers"),
        ("Convert five miles to km", "Convert 5 miles to km", ""),
        ("Convert 5 miles to km", "Convert 5 km to miles", "numbers"),
        ("How much is 1,000 euros?", "How much is 1000 euros?", ""),
        ("How much is 2.50 euros?", "How much is 2.5 euros?", ""),
        ("What is 12 + 3?", "What is 12 * 3?", "numbers"),
        ("Is 10% enough here?", "Is 10 enough here?", "numbers"),
        ("How far is it in miles?", "How far is it in kilometers?", "units"),
        ("May I eat it?", "May I not eat it?", "negations"),
        ("Why does it work?", "Why doesn't it work?", "negations"),
        ("Darf ich das essen?", "Darf ich das nicht essen?", "negations"),
        ("Puis-je le manger ?", "Puis-je ne pas le manger ?", "negations"),
        ("¿Puedo comerlo?", "¿No puedo comerlo?", "negations"),
        ("これは食べられますか", "これは食べられませんか", "negations"),
        ("Translate 'cat' to French", "Translate 'dog' to French", "literal"),
        ("Explain `map` in Rust", "Explain `filter` in Rust", "literal"),
        ("What does ls -l do?", "What does ls -L do?", "literal"),
        ("Write a card for Anna", "Write a card for Peter", "names"),
        ("weather in berlin", "weather in Berlin", ""),
        ("weather in berlin", "weather in paris", "names"),
        ("Call get_user here", "Call set_user here", "names"),
        ("Fix the TypeError here", "Fix the ValueError here", "names"),
        ("Read it in C please", "Read it in C++ please", "names"),
        ("How do I enable logging?", "How do I disable logging?", "sides"),
        ("How do I turn on logging?", "How do I turn off logging?", "alone"),
        ("Is Python faster than Java?", "Is Java faster than Python?", "order"),
        ("From USD to EUR", "From EUR to USD", "order"),
        ("Does the cat chase the dog?", "Does the dog chase the cat?", "order"),
        ("A gift for mother from father", "A gift for father from mother", "order"),
        ("How do I schedule a job with cron?", "How do I schedule a cron job?", ""),
        (LONG + "red cats", LONG + "blue dogs", "words"),
        (LONG + "red cats", LONG.upper().lower() + "red cats please", ""),
        ("What is a closure in code?", "What is a monad in code?", "words"),
        ("How do I delete the branch?", "How do I delete the merged branch?", "words"),
        (
            "What is the best way to learn and why?",
            "Was ist die beste Art und wie kann ich lernen?",
            "language",
        ),
        ("Что это?", "What is this?", "script"),
        ("Explain what a foreign key is.", "What is a foreign key?", ""),
        ("How do I reverse a list in Python?", "What's the way to reverse a Python list?", ""),
        ("¿Cómo elimino una rama en git?", "¿Cómo puedo eliminar una rama en git?", ""),
        ("", "", ""),
    ],
)
def test_pairs(first: str, second: str, kind: str) -> None:
    assert difference(first, second) == kind
    assert difference(second, first) == kind


def test_no_near_miss_of_the_evaluation_set_gets_through() -> None:
    wrong = [pair for pair in PAIRS if not pair["same"] and not pair.get("held_out")]
    assert len(wrong) >= 150
    assert [pair for pair in wrong if not difference(pair["a"], pair["b"])] == []


def test_most_paraphrases_of_the_evaluation_set_do() -> None:
    right = [pair for pair in PAIRS if pair["same"]]
    passed = sum(not difference(pair["a"], pair["b"]) for pair in right)
    assert len(right) >= 150
    assert passed / len(right) > 0.7


@given(st.text(max_size=200), st.text(max_size=200))
def test_it_takes_any_text_and_does_not_depend_on_the_order(first: str, second: str) -> None:
    assert difference(first, first) == ""
    assert bool(difference(first, second)) == bool(difference(second, first))


@given(
    st.lists(st.sampled_from(["5", "miles", "not", "Anna", "`x`", "to", "enable", "ünü", "don't", "\n", "?"]))
)
def test_what_is_read_of_a_text_is_a_value(words: list[str]) -> None:
    assert particulars(" ".join(words)) == particulars(" ".join(words))

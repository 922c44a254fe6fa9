"""The evaluation sets: the same bytes every time, complete, and labelled where the values stand."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import cache
from hashlib import sha256

import phonenumbers
import pytest

from agent.guardrails import Scanner, bundled_rules
from agent.inspection.evaluation import Kind, Row, parse_row
from tests.data.eval import generate
from tests.data.eval.generators import phone_numbers
from tests.data.eval.generators.marking import CLOSE, OPEN, TYPED

LEAST = {"secrets": 2000, "evasion": 64, "pii": 1500, "injection": 1000, "benign": 500}
"""How many rows a set must have: a figure on fewer says little."""


@cache
def content(name: str) -> bytes:
    return generate.content(name)


@cache
def rows(name: str) -> tuple[Row, ...]:
    return tuple(
        parse_row(line, file=f"{name}.jsonl", number=number)
        for number, line in enumerate(content(name).decode().split("\n"), start=1)
        if line
    )


def share_of_valid(country: str, forms: list[str]) -> float:
    """How many of the numbers the numbering plans know."""
    return sum(
        phonenumbers.is_possible_number(phonenumbers.parse(form.replace("#", "4").replace("N", "6"), country))
        for form in forms
    ) / len(forms)


@pytest.mark.parametrize("name", generate.SETS)
def test_a_set_is_made_of_the_recorded_bytes(name: str) -> None:
    assert sha256(content(name)).hexdigest() == generate.recorded()[name], (
        "python -m tests.data.eval.generate --record"
    )


@pytest.mark.parametrize("name", generate.SETS)
def test_a_set_is_made_of_the_same_bytes_twice(name: str) -> None:
    assert generate.content(name) == content(name)


@pytest.mark.parametrize("name", generate.SETS)
def test_a_set_is_large_enough_and_no_text_stands_twice(name: str) -> None:
    assert len(rows(name)) >= LEAST[name]
    texts = Counter(row.text for row in rows(name))
    assert [each for each, count in texts.items() if count > 1] == []


@pytest.mark.parametrize("name", generate.SETS)
def test_no_mark_and_no_unfilled_template_is_left_in_a_text(name: str) -> None:
    left = (OPEN, TYPED, CLOSE, "{hex:", "{d:", "{an:", "{raw}", "{order}", "\1", "\2")
    assert [row.id for row in rows(name) if any(each in row.text for each in left)] == []


@pytest.mark.parametrize("name", generate.SETS)
def test_every_row_has_a_source_and_a_licence(name: str) -> None:
    tables = [json.loads(line) for line in content(name).split(b"\n") if line]
    assert all(table["source"] and table["licence"] and table["context"] for table in tables)


def test_every_kind_of_row_is_there() -> None:
    kinds = Counter(row.kind for name in generate.SETS for row in rows(name))
    assert set(kinds) == set(Kind)


def test_there_are_more_than_a_hundred_kinds_of_secret_and_more_than_thirty_of_national_number() -> None:
    assert len({span.type for row in rows("secrets") for span in row.gold}) > 100
    assert len({span.type for row in rows("pii") for span in row.gold}) > 40


def test_some_benign_rows_are_as_long_as_what_agents_send() -> None:
    assert sum(len(row.text) > 4_000 for row in rows("benign")) >= 50


def test_the_telephone_numbers_have_lengths_that_their_countries_know() -> None:
    forms: dict[str, list[str]] = {}
    for country, form in phone_numbers.forms():
        forms.setdefault(country, []).append(form)
    assert len(forms) >= 30
    assert {country for country in forms if share_of_valid(country, forms[country]) < 1} == set()


def test_a_stream_finds_in_the_sets_what_a_scan_of_the_whole_finds() -> None:
    draw, scanner = random.Random(1), Scanner(bundled_rules())
    sample = [row.text for name in ("secrets", "pii", "injection") for row in rows(name)[::20]]
    for text in sample:
        stream, at = scanner.stream(), 0
        while at < len(text):
            size = draw.randint(1, 12)
            stream.feed(text[at : at + size])
            at += size
        stream.finish()
        assert tuple(stream.findings) == scanner.scan(text), text

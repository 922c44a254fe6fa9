"""Labelled texts: what is read, what is assumed, what is refused."""

from __future__ import annotations

import json

import pytest

from agent.errors import ContentError
from agent.inspection.evaluation import Gold, Kind, Row, parse_row
from agent.model.findings import Family


def parsed(file: str = "set.jsonl", **table: object) -> Row:
    return parse_row(json.dumps({"text": "abcdef", **table}), file=file, number=3)


def test_a_row_with_everything_is_taken_as_it_is() -> None:
    row = parsed(
        id="r1",
        kind="evasion",
        family="pii",
        context="log",
        variant="v",
        spans=[{"start": 1, "end": 3, "type": "email"}],
    )
    assert (row.id, row.kind, row.context, row.variant) == ("r1", Kind.EVASION, "log", "v")
    assert row.place == "set.jsonl:3"
    assert row.gold == (Gold(start=1, end=3, family=Family.PII, type="email"),)


@pytest.mark.parametrize(
    ("file", "family"),
    [
        ("secrets_v2.jsonl", Family.SECRET),
        ("pii.jsonl", Family.PII),
        ("injection/deepset.jsonl", Family.INJECTION),
        ("injection/pii.jsonl", Family.PII),
        ("benign.jsonl", None),
    ],
)
def test_the_family_may_come_from_the_files_name(file: str, family: Family | None) -> None:
    assert parsed(file).family is family


def test_the_kind_follows_from_spans_and_family() -> None:
    span = {"start": 0, "end": 1, "type": "x"}
    assert parsed(family="secret", spans=[span]).kind is Kind.POSITIVE
    assert parsed(family="secret").kind is Kind.HARD_NEGATIVE
    assert parsed(spans=[]).kind is Kind.BENIGN
    assert parsed("pii_hard_negatives.jsonl").kind is Kind.HARD_NEGATIVE
    assert parsed("evasion.jsonl", family="secret", spans=[span]).kind is Kind.EVASION


@pytest.mark.parametrize("key", ["type", "label", "entity_type", "entity"])
def test_the_type_of_a_span_has_several_spellings(key: str) -> None:
    assert parsed(family="pii", spans=[{"start": 0, "end": 6, key: "iban"}]).gold[0].type == "iban"


@pytest.mark.parametrize("label", [1, "1", True, "injection", "malicious"])
def test_a_label_without_spans_is_about_the_whole_text(label: object) -> None:
    row = parsed("injection.jsonl", label=label)
    assert row.gold == (Gold(start=0, end=6, family=Family.INJECTION, type="injection"),)
    assert row.kind is Kind.POSITIVE


@pytest.mark.parametrize("label", [0, "0", False, "benign", "safe"])
def test_a_label_may_say_that_there_is_nothing(label: object) -> None:
    assert parsed("injection.jsonl", label=label).kind is Kind.HARD_NEGATIVE


def test_a_span_may_be_of_another_family_than_its_row() -> None:
    row = parsed(family="secret", spans=[{"start": 0, "end": 2, "type": "email", "family": "pii"}])
    assert row.gold[0].family is Family.PII


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[1]", "no JSON object"),
        ('{"id": 1}', '"text" must be a string'),
        ('{"text": "a", "spans": 3}', "must be a list"),
        ('{"text": "a", "spans": [3]}', "must be an object"),
        ('{"text": "a", "family": "pii", "spans": [{"start": 0, "end": 2}]}', "does not lie in the text"),
        ('{"text": "a", "family": "pii", "spans": [{"start": true, "end": 1}]}', "does not lie in the text"),
        ('{"text": "a", "spans": [{"start": 0, "end": 1}]}', "without family"),
        ('{"text": "a", "label": 1}', "of which family"),
        ('{"text": "a", "family": "weather"}', "unknown family"),
        ('{"text": "a", "kind": "odd"}', "unknown kind"),
        ('{"text": "a", "family": "pii", "kind": "positive"}', "without anything to find"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_file_and_line(line: str, reason: str) -> None:
    with pytest.raises(ContentError) as caught:
        parse_row(line, file="set.jsonl", number=7)
    assert str(caught.value).startswith("set.jsonl:7: ")
    assert reason in str(caught.value)

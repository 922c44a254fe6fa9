"""Labels: where they stand before what may be their values."""

from __future__ import annotations

import pytest

from agent.guardrails import Rule
from agent.guardrails.context import labelled
from agent.guardrails.detector import Detector
from agent.guardrails.labels import Labels
from agent.guardrails.regex import compiled
from agent.model.findings import Family

MEMORY = 1 << 22
CPF = Rule(id="cpf", family=Family.PII, type="cpf", pattern=r"\d{11}\b", labels=("cpf", "cadastro de pessoa"))
BORN = Rule(id="born", family=Family.PII, type="born", pattern=r"\d{4}\b", labels=("date of birth", "né le"))


def labels(*rules: Rule) -> Labels:
    detectors = [Detector(rule, place, memory=MEMORY, max_cost=50_000) for place, rule in enumerate(rules)]
    cover = "|".join(f"(?:{labelled(rule.labels, rule.pattern)})" for rule in rules)
    return Labels(detectors, compiled(cover, memory=MEMORY, captures=False), memory=MEMORY)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("user_cpf: 12345678901", [0]),
        ("userCpf = 12345678901", [0]),
        ("copied 12345678901", []),
        ("Date of Birth: 1984", [1]),
        ('{"date_of_birth": "1984", "cpf": "12345678901"}', [0, 1]),
        ("née et né le 1984", [1]),
        ("the date of birth is not known", []),
    ],
)
def test_a_rule_is_told_by_its_label_and_a_value_behind_it(text: str, found: list[int]) -> None:
    data = text.encode()
    assert sorted(labels(CPF, BORN).parts(data, ((0, len(data) + 1),))) == found


def test_parts_begin_at_the_label_and_only_where_one_was_looked_for() -> None:
    data = b"cpf 12345678901 " + b"x" * 100 + b" cpf 10987654321"
    both = labels(CPF, BORN).parts(data, ((0, len(data) + 1),))[0]
    assert [data[start : start + 3] for start, _ in both] == [b"cpf", b"cpf"]
    assert labels(CPF, BORN).parts(data, ((20, len(data) + 1),))[0] == both[1:]


def test_very_many_labels_are_looked_for_all_over_the_text() -> None:
    data = b"cpf cpf " * 2_000 + b"cpf 12345678901"
    ((start, stop),) = labels(CPF, BORN).parts(data, ((0, len(data) + 1),))[0][-1:]
    assert start <= len(data) - 15 < stop

"""Labels before values: how they may be written, and how far away they may stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.guardrails import Rule, Scanner
from agent.guardrails.closure import TOKEN_TAIL, tail_behind
from agent.guardrails.context import label_opening, label_pattern, label_rest, labelled
from agent.guardrails.regex import compiled
from agent.guardrails.syntax import parse
from agent.model.findings import Family

LABELS = (
    "cpf",
    "date of birth",
    "driver's license",
    "a/c no",
    "t.c. kimlik",
    "ring me back on",
    "生年月日",
    "número fiscal",
)
WORDS = ("cpf", "date of birth", "reisepass", "sa id", "生年月日")


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner((Rule(id="r", family=Family.PII, type="r", pattern=r"\d{6}\b", labels=WORDS, group=-1),))


def found(scanner: Scanner, text: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in scanner.scan(text)]


@pytest.mark.parametrize(
    "text",
    [
        "CPF 123456",
        "cpf: 123456",
        "user_cpf=123456",
        "userCpf=123456",
        "CPFs: 123456",
        "dateOfBirth: 123456",
        "date_of_birth=123456",
        "date-of-birth 123456",
        "DATE OF BIRTH\t123456",
        '{"date of birth": "123456"}',
        '{\\"cpf\\": \\"123456\\"}',
        '{\\\\\\"cpf\\\\\\": \\\\\\"123456\\\\\\"}',
        "<cpf>123456</cpf>",
        "<dt>CPF</dt>\n  <dd>123456</dd>",
        "('cpf', '123456')",
        "cpf:\n  123456",
        "text\\ncpf\\n123456\\n",
        "CPF do cliente é 123456",
        "Reisepassnummer 123456",
        "sa id 123456",
        "生年月日：123456",
        "What is your CPF?\n123456",
        "Could you tell me the date of birth?\nAna: it's 123456",
    ],
)
def test_a_value_is_found_behind_its_label(scanner: Scanner, text: str) -> None:
    assert found(scanner, text) == ["123456"]


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "the cpfx 123456",
        "he said 123456",
        '{"cpf": null, "id": "123456"}',
        "cpf one two three four five 123456",
        "cpf,name\n\nfirst line of another paragraph 123456",
        "cpf 1 and 123456",
        "cpf!\nAna: it's 123456",
        "cpf 1234567",
    ],
)
def test_a_label_elsewhere_says_nothing(scanner: Scanner, text: str) -> None:
    assert found(scanner, text) == []


def test_groups_are_those_of_the_value() -> None:
    assert compiled(labelled(("cpf",), r"\d{3}"), memory=1 << 20).groups == 1
    assert compiled(labelled(("cpf",), r"(?:BR)?([(]\d{3})"), memory=1 << 20).groups == 1
    assert compiled(labelled(("cpf",), r"[(]\d\("), memory=1 << 20).groups == 1
    assert compiled(label_pattern(WORDS), memory=1 << 20).groups == 0


@given(
    st.sampled_from(LABELS), st.sampled_from(["", " ", " is: ", " no. is now ", "?\n"]), st.integers(1, 40)
)
def test_every_beginning_beyond_a_token_is_held_by_the_front_of_the_label(
    label: str, gap: str, size: int
) -> None:
    front = f"(?:{label_opening(LABELS)})"
    held = tail_behind(front, parse(label_rest(LABELS, r"\d{9}")))
    tail = compiled(rf"\A(?:{held}|{TOKEN_TAIL})\z", memory=1 << 24, captures=False)
    text = f"{label}{gap}123456789"
    found = compiled(labelled(LABELS, r"\d{9}"), memory=1 << 24).match(text.encode())
    if found is not None:
        assert tail.match(text[:size].encode()) is not None

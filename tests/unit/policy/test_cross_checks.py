"""What must hold between sections."""

from __future__ import annotations

import pytest

from agent.policy.cross_checks import KnownNames, cross_check
from agent.policy.source import read

KNOWN = KnownNames(types=frozenset({"pii/email"}), surfaces=frozenset({"openai"}), dialects=frozenset({"d"}))


def problems(text: str, known: KnownNames = KNOWN) -> list[tuple[object, ...]]:
    return [problem.location for problem in cross_check(read(text), known)]


def test_access_rules_and_guardrails_share_their_ids_other_sections_do_not() -> None:
    text = (
        "access: [{id: a}]\nguardrails: [{id: a}]\ndetectors: [{id: a}, {id: b}]\ncatalog: [{id: a}, {id: a}]\n"
        "checks: [{id: a}, {id: a}]"
    )
    assert problems(text) == [("guardrails", 0, "id"), ("checks", 1, "id"), ("catalog", 1, "id")]


@pytest.mark.parametrize(
    ("selector", "fine"),
    [
        ("pii/email", True),
        ("pii/e*", True),
        ("pii", True),
        ("secret", True),
        ("pii/emial", False),
        ("custom/own", True),
        ("custom/*", True),
        ("custom/other", False),
        ("check/cloud", True),
        ("check/*", True),
        ("check", True),
        ("check/own", False),
    ],
)
def test_a_selector_must_be_able_to_select_something(selector: str, fine: bool) -> None:
    text = f"guardrails: [{{id: g, detect: [{selector}]}}]\ndetectors: [{{id: own}}]\nchecks: [{{id: cloud}}]"
    assert problems(text) == ([] if fine else [("guardrails", 0, "detect", 0)])


def test_surfaces_may_be_of_the_catalog_of_the_policy_itself_or_unknown() -> None:
    text = "access: [{id: a, surfaces: [openai, own, unknown, opanai]}]\ncatalog: [{id: own}]"
    assert problems(text) == [("access", 0, "surfaces", 3)]


CATALOG = KnownNames(
    surfaces=frozenset({"openai", "databricks"}),
    optional=frozenset({"databricks"}),
    speaks=frozenset({"openai-chat"}),
)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("catalog_without: [openai, opanai]", [("catalog_without", 1)]),
        ("catalog_with: [databricks]", []),
        ("catalog_with: [openai]", [("catalog_with", 0)]),
        ("catalog_with: [databrick]", [("catalog_with", 0)]),
        ("catalog: [{id: own, speaks: [openai-chat, klingon]}]", [("catalog", 0, "speaks", 1)]),
        ("catalog_file: c.toml\ncatalog_without: [its-own]\naccess: [{id: a, surfaces: [its-own]}]", []),
    ],
)
def test_rows_that_a_policy_names_must_be_there_unless_a_file_brings_them(
    text: str, wrong: list[object]
) -> None:
    assert problems(text, CATALOG) == wrong


def test_names_that_are_not_told_are_not_checked() -> None:
    rules = "access: [{id: a, surfaces: [x]}]\nguardrails: [{id: g, detect: [pii/x]}]\n"
    text = rules + "catalog: [{endpoints: [{dialect: x}]}]"
    assert problems(text, KnownNames()) == []
    assert len(problems(text)) == 3


@pytest.mark.parametrize(
    "text", ["", "- a", "access: 1", "access: [1]", "guardrails: [{detect: a, id: [x]}]"]
)
def test_places_of_another_type_are_left_to_the_other_check(text: str) -> None:
    assert problems(text) == []

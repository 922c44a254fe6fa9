"""What must hold between `apps` and the rest of a policy."""

from __future__ import annotations

import re

import pytest

from agent.errors import PolicyError
from agent.policy import KnownNames, load

KNOWN = KnownNames(surfaces=frozenset({"openai", "anthropic"}))


def refused(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        load(f"schema_version: 1\nid: p\n{text}\n", source="p.yaml", known=KNOWN)
    return str(caught.value)


def test_a_surface_must_be_known() -> None:
    said = refused("apps:\n  rules:\n    - {id: a, surfaces: [openai, antropic, unknown], state: denied}")
    assert (
        said
        == "p.yaml:5: apps.rules[0].surfaces[1]: 'antropic' is no surface of the catalog: did you mean 'anthropic'?"
    )


@pytest.mark.parametrize(
    "more",
    [
        "access: [{id: a, action: block}]",
        "guardrails: [{id: a, detect: [secret], action: block}]",
        "apps: {rules: [{id: a, state: denied}]}",
    ],
)
def test_ids_are_shared_with_other_rules(more: str) -> None:
    rules = "{id: a, state: denied}"
    text = f"{more}\napps: {{rules: [{rules}]}}"
    if more.startswith("apps"):
        text = f"apps: {{rules: [{rules}, {rules}]}}"
    assert "'a' is already the id of another rule" in refused(text)


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{routing: central}", "apps.routing: needs 'upstream.central'"),
        ("{routing: gateway}", "apps.routing: needs 'providers'"),
        (
            "{rules: [{id: a, state: approved, routing: central}]}",
            "apps.rules[0].routing: needs 'upstream.central'",
        ),
    ],
)
def test_a_way_must_lead_somewhere(section: str, wrong: str) -> None:
    assert re.search(re.escape(wrong), refused(f"apps: {section}"))


def test_places_of_a_wrong_type_are_left_to_the_check_of_values() -> None:
    assert "must be a list" in refused("apps: {rules: 3}")
    assert "must be a mapping" in refused("apps: {rules: [3]}")

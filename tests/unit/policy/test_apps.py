"""The section `apps` as it is written."""

from __future__ import annotations

import re

import pytest

from agent.errors import PolicyError
from agent.policy import Policy, load
from agent.policy.apps import AppWay


def read(section: str, more: str = "") -> Policy:
    return load(f"schema_version: 1\nid: p\n{more}\napps: {section}\n", source="p.yaml")


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("{defualt: denied}", "unknown key 'defualt': did you mean 'default'?"),
        ("{default: maybe}", "must be one of: approved, pending, denied"),
        ("{rules: [{id: a}]}", "apps.rules[0].state: this key is required"),
        ("{rules: [{id: a, state: denied, models: [gpt-4o]}]}", "unknown key 'models'"),
        ("{rules: [{id: a, state: denied, when: 'size > 3'}]}", "there is no variable 'size'"),
        ("{rules: [{id: a, state: denied, kinds: [web]}]}", "must be one of: api, agent, chat"),
        (
            "{rules: [{id: a, state: denied, tenancies: [mine]}]}",
            "tenancies[0]: must be one of: personal, company",
        ),
        ("{rules: [{id: apps.default, state: denied}]}", "choose another id"),
        ("{notify_minutes: 0}", "must be greater than or equal to 1"),
    ],
)
def test_mistakes_are_named(section: str, wrong: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(wrong)):
        read(section)


def test_the_ways_are_gathered() -> None:
    section = "{routing: native, rules: [{id: a, state: approved, routing: gateway}, {id: b, state: denied}]}"
    assert read(section, "providers: {openai: {key: 'env:K'}}").apps.ways == {
        AppWay.NATIVE,
        AppWay.GATEWAY,
    }
    assert read("{default: denied}").apps.ways == frozenset()


@pytest.mark.parametrize(
    "section",
    ["{default: denied}", "{rules: [{id: a, state: approved}]}", "{routing: native}", "{accounts: block}"],
)
def test_a_section_that_can_change_something_is_not_lenient(section: str) -> None:
    assert not read(section).apps.lenient
    assert read("{pending: block, forget_days: 3}").apps.lenient

"""Conditions: what is refused when a policy is read, and what the others say about an exchange."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.policy.conditions import MAX_LENGTH, VARIABLES, Condition, ConditionFailed, Value, check_condition

FACTS: dict[str, Value] = {
    "app": "claude-code",
    "user": "ann",
    "groups": ["finance", "staff"],
    "model": "gpt-5",
    "host": "api.openai.com",
    "surface": "openai",
    "kind": "api",
    "state": "approved",
    "path": "/v1/chat/completions",
    "direction": "prompt",
    "size": 400_001,
    "attachments": [{"kind": "image", "media_type": "image/png", "size": 9, "name": "plan.png"}],
    "destination": {"kind": "native", "host": "api.openai.com"},
    "device": {"os": "linux"},
    "hour": 22,
    "weekday": 6,
    "app_evidence": "process",
    "app_claimed": "claude-code",
    "within": ["vscode"],
    "identity": {"signed_in": True, "subject": "1", "name": "ann@example.com"},
    "login": {
        "kind": "subscription",
        "plan": "max",
        "tenancy": "personal",
        "organisation": "",
        "domain": "gmail.com",
        "key_type": "claude-oauth",
    },
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("size > 400000", True),
        ("size > 400001", False),
        ('login.tenancy == "personal" && login.kind == "subscription"', True),
        ('login.plan in ["team", "enterprise"] || login.key_type == "google"', False),
        ('login.domain.endsWith("mail.com") && login.organisation == ""', True),
        ('app_evidence in ["process", "signed"] && app_claimed == app', True),
        ('within.exists(w, w == "vscode")', True),
        ('"cursor" in within', False),
        ('attachments.exists(a, a.media_type.startsWith("image/"))', True),
        ("attachments.filter(a, a.size > 9).size() > 0", False),
        ('"finance" in groups && !("interns" in groups)', True),
        ('user in ["bob", "carol"] || weekday in [6, 7]', True),
        ("hour >= 8 && hour < 18", False),
        ('destination.kind != "central"', True),
        ('device.os == "macos" ? size > 10 : size > 1000000', False),
        ('model == "a" && attachments[7].size > 0', False),
        ('has(attachments[0].name) && direction == "prompt"', True),
        ("groups.exists(g, groups.exists(h, g != h))", True),
        ('app == "it\\"s" || path.endsWith("completions")', True),
    ],
)
def test_a_condition_is_asked_about_an_exchange(text: str, holds: bool) -> None:
    assert Condition(check_condition(text)).holds(FACTS) is holds


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("size >", "is not CEL: 7: Syntax error"),
        ("nope == 1", "there is no variable 'nope' (there are: app, user,"),
        ("false && nope", "there is no variable 'nope'"),
        ("app == claude", "there is no variable 'claude'"),
        ("groups.exists(g, h == 'x')", "there is no variable 'h'"),
        ('size > "4"', "values of the wrong type"),
        ('app == "x" && size > "4"', "values of the wrong type"),
        ('app == "x" && user == "y" && size > "4"', "values of the wrong type"),
        ("app", "must be true or false"),
        ('app == "x" ? true : user', "must be true or false"),
        ("device.version == 1", "nothing has the attribute 'version'"),
        ("attachments.exists(a, a.lines > 3)", "nothing has the attribute 'lines'"),
        ('app.matches("a+")', "there is no function 'matches'"),
        ("attachments.map(a, a.size).size() > 1", "there is no function 'map'"),
        ("size + 1 > 2", "'+' is not offered"),
        ("groups.all(a, groups.all(b, groups.all(c, a == b && b == c)))", "at most 2 of"),
        ('r"a" == app', "without a prefix"),
        ('"""a""" == app', "in plain quotes"),
        ("groups[0] == 3 / 0", "'/' is not offered"),
        ("(" * 150 + "true" + ")" * 150, "is not CEL"),
    ],
)
def test_a_condition_that_cannot_work_is_refused(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        check_condition(text)


@pytest.mark.parametrize("text", ["attachments[3].size > 1", "groups[0] == 'finance'"])
def test_an_item_that_is_not_there_fails_the_condition(text: str) -> None:
    with pytest.raises(ConditionFailed):
        Condition(check_condition(text)).holds({**FACTS, "groups": [], "attachments": []})


def test_a_text_that_is_not_valid_unicode_fails_the_condition() -> None:
    with pytest.raises(ConditionFailed):
        Condition(check_condition('user == "ann"')).holds({**FACTS, "user": "ann\ud800"})


def test_only_the_variables_that_it_names_are_looked_at() -> None:
    assert Condition("size > 3").holds({"size": 4})


@given(st.text(alphabet="size()[]{}.,&|!<>=?:'\"\\ 01ab\n", max_size=60))
def test_any_text_is_a_condition_or_refused_in_words(text: str) -> None:
    with suppress(ValueError):
        assert check_condition(text).strip()


def test_every_variable_can_be_asked_for() -> None:
    assert set(VARIABLES) == set(FACTS)
    for name in VARIABLES:
        assert check_condition(f"{name} == {name}")
    assert MAX_LENGTH == 1000


def test_a_condition_is_asked_from_any_thread() -> None:
    condition = Condition("size > 3")
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(lambda size: condition.holds({"size": size}), range(8)))
    assert found == [False] * 4 + [True] * 4

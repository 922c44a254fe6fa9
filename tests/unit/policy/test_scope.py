"""Which exchanges a rule applies to."""

from __future__ import annotations

import pytest

from agent.model.content import Attachment, Where
from agent.model.decision import Action
from agent.policy import AccessRule, Subject
from agent.policy.conditions import MAX_LISTED, VARIABLES, Condition
from agent.policy.scope import facts, met, mismatch

SUBJECT = Subject(
    host="api.openai.com", path="/v1/chat", surface="openai", app="cursor", model="gpt-4o", user="alice"
)


def rule(**scope: tuple[str, ...]) -> AccessRule:
    return AccessRule(id="r", action=Action.BLOCK, **scope)


def test_a_rule_without_scope_fits_everything() -> None:
    assert mismatch(rule(), SUBJECT) is None
    assert mismatch(rule(), Subject(host="")) is None


@pytest.mark.parametrize("key", ["hosts", "surfaces", "apps", "models", "users", "paths"])
def test_every_key_must_fit_and_the_first_that_does_not_is_named(key: str) -> None:
    fits = {
        each: (getattr(SUBJECT, each.removesuffix("s")),) for each in ("hosts", "surfaces", "apps", "models")
    }
    fits |= {"users": ("bob", "ALICE"), "paths": ("/v1/*",)}
    assert mismatch(rule(**fits), SUBJECT) is None
    assert mismatch(rule(**fits | {key: ("other",)}), SUBJECT) == key


def test_what_is_unknown_fits_only_a_rule_that_takes_anything() -> None:
    unnamed = Subject(host="api.openai.com")
    assert mismatch(rule(models=("*",)), unnamed) is None
    assert mismatch(rule(models=("?*",)), unnamed) == "models"
    assert mismatch(rule(surfaces=("unknown",)), unnamed) is None


def test_the_facts_are_what_a_condition_may_ask_for() -> None:
    told = facts(SUBJECT, Where.ANSWER)
    assert set(told) == set(VARIABLES)
    assert (told["model"], told["direction"], told["size"]) == ("gpt-4o", "answer", 0)


def test_long_lists_are_cut_and_an_unknown_size_is_below_any() -> None:
    files = (Attachment(kind="file"),) * (MAX_LISTED + 1)
    told = facts(Subject(host="h", attachments=files, groups=("g",) * 500))
    assert told["groups"] == ["g"] * MAX_LISTED
    file = {"kind": "file", "media_type": "", "name": "", "type": "", "readable": False, "findings": 0}
    unknown = dict.fromkeys(("size", "characters", "pages"), -1)
    assert told["attachments"] == [file | unknown] * MAX_LISTED


@pytest.mark.parametrize(
    ("condition", "failed", "applies"),
    [
        (None, False, True),
        ("size > 5", False, True),
        ("size > 50", True, False),
        ("attachments[3].size > 0", True, True),
        ("attachments[3].size > 0", False, False),
    ],
)
def test_a_condition_that_fails_counts_as_whoever_asks_says(
    condition: str | None, failed: bool, applies: bool
) -> None:
    asked = None if condition is None else Condition(condition)
    assert met(asked, Subject(host="api.openai.com", size=10), failed=failed) is applies

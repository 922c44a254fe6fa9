"""From the model that a client names to the plan of whom to ask."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.gateway.accounting import Account
from agent.gateway.unified.planning import NotAllowed, Planner
from agent.gateway.unified.routebook import RouteBook
from agent.model.decision import Action, Decision
from agent.routing.health import HealthBook
from agent.routing.names import UnknownModel
from agent.routing.plan import NoRoute
from tests.fakes.audit import decided
from tests.unit.gateway.unified.conftest import BOUND, KEY, NOBODY, account_of, book_of, wanted


def planned(book: RouteBook, model: str, account: Account = NOBODY, **more: object) -> list[str]:
    plan = Planner(HealthBook(), clock=lambda: 0.0, draw=lambda: 0.5).plan(
        book, account, wanted(model, **more)
    )
    return [each.name for each in plan.candidates]


def test_an_alias_is_tried_in_its_order(book: RouteBook) -> None:
    assert planned(book, "fast") == ["local/deployed-7", "openai/gpt-5-nano"]


def test_fallbacks_stand_in_the_body_or_in_the_header(book: RouteBook) -> None:
    fields = ((b"x-drawbridge-fallbacks", b"gemini/gemini-2.5-flash"),)
    assert planned(book, "local/small", fields=fields)[1:] == ["gemini/gemini-2.5-flash"]
    assert planned(book, "local/small", fields=fields, fallbacks=["openai/gpt-5-nano"])[1:] == [
        "openai/gpt-5-nano"
    ]
    with pytest.raises(ContentError):
        planned(book, "local/small", fallbacks="openai/gpt-5-nano")


@pytest.mark.parametrize("name", ["", "nobody/m", "x" * 10_000, "no-such-model"])
def test_what_means_nothing_is_unknown(book: RouteBook, name: str) -> None:
    with pytest.raises(UnknownModel):
        planned(book, name)


def test_names_in_every_script_are_names(book: RouteBook) -> None:
    assert planned(book, "local/模型-é") == ["local/模型-é"]


LIMITED = f"""
virtual_keys:
  - id: ci
    {KEY}
    providers: [{{provider: openai, models: [gpt-5*], keys: [second], fallbacks: [local/small]}}, {{provider: local}}]
{BOUND}
"""


def test_a_key_goes_only_where_it_may(book: RouteBook) -> None:
    account = account_of(LIMITED)
    with pytest.raises(NotAllowed):
        planned(book, "anthropic/claude-sonnet-4-5", account)
    with pytest.raises(NotAllowed):
        planned(book, "openai/gpt-4o", account)
    assert planned(book, "openai/gpt-5-nano", account, fallbacks=["anthropic/claude-sonnet-4-5"]) == [
        "openai/gpt-5-nano"
    ]


def test_a_keys_own_fallbacks_and_keys_are_used(book: RouteBook) -> None:
    plan = Planner(HealthBook()).plan(book, account_of(LIMITED), wanted("openai/gpt-5-nano"))
    assert [each.name for each in plan.candidates] == ["openai/gpt-5-nano", "local/deployed-7"]
    assert [key.name for key in plan.candidates[0].keys] == ["second"]


@pytest.mark.parametrize("models", ["models: [small]", "models: [deployed-7]", "deny_models: [other]"])
def test_a_key_may_name_a_model_as_the_policy_or_as_the_provider_does(book: RouteBook, models: str) -> None:
    account = account_of(
        f"virtual_keys: [{{id: ci, {KEY}, providers: [{{provider: local, {models}}}]}}]\n{BOUND}"
    )
    assert (
        planned(book, "local/small", account)
        == planned(book, "local/deployed-7", account)
        == ["local/deployed-7"]
    )


@pytest.mark.parametrize("name", ["local/small", "local/deployed-7"])
@pytest.mark.parametrize("denied", ["small", "deployed-7"])
def test_what_is_denied_by_one_name_is_not_had_by_the_other(book: RouteBook, name: str, denied: str) -> None:
    account = account_of(
        f"virtual_keys: [{{id: ci, {KEY}, providers: [{{provider: local, deny_models: [{denied}]}}]}}]\n{BOUND}"
    )
    with pytest.raises(NotAllowed):
        planned(book, name, account)


RULE = "routing: {rules: [{id: inside, when: 'size(labels) > 0', candidates: [{model: local/small}]}]}"


def test_a_rules_candidates_are_the_last_word() -> None:
    book = book_of(RULE)
    found: Decision = decided(Action.ALERT)
    more = {"decision": found, "fallbacks": ["openai/gpt-5-nano"]}
    assert planned(book, "openai/gpt-5-nano", **more) == ["local/deployed-7"]
    assert planned(book, "fast", decision=found) == ["local/deployed-7"]
    assert planned(book, "openai/gpt-5-nano") == ["openai/gpt-5-nano"]


def test_a_rule_can_refuse() -> None:
    book = book_of("routing: {rules: [{id: never, models: ['gpt*'], refuse: 'not here'}]}")
    with pytest.raises(NoRoute, match="not here"):
        planned(book, "gpt-5-nano")

"""Wishes: what client, virtual key and rule together ask for."""

from __future__ import annotations

import pytest

from agent.policy.routes import Balance, Routing, RoutingRule, Sticky, WeightedModel
from agent.routing.plan import Candidate, Limits, NoRoute
from agent.routing.wish import Wish, session_of, wish_of
from tests.fakes.routes import candidate

ASKED = (candidate("openai/gpt-5"),)
RULE = RoutingRule(
    id="home",
    candidates=(WeightedModel(model="ollama/llama", weight=2.0), WeightedModel(model="secret/x")),
    fallbacks=("vllm/qwen/32b",),
    require_private=True,
)


def resolve(provider: str, model: str) -> Candidate | None:
    return None if provider == "secret" else candidate(f"{provider}/{model}")


def wished(routing: Routing | None = None, **more: object) -> Wish:
    routing = routing or Routing()
    return wish_of(ASKED, routing=routing, limits=Limits.of(routing), resolve=resolve, **more)  # type: ignore[arg-type]


def fallbacks(of: Wish) -> list[str]:
    return [each.name for each in of.fallbacks]


def test_without_more_the_clients_wish_counts() -> None:
    wish = wished(session="s")
    assert (wish.candidates, wish.fallbacks, wish.session, wish.rule) == (ASKED, (), "s", "")
    assert not wish.require_private


def test_a_rule_names_others_as_far_as_they_may_be_used() -> None:
    wish = wished(rule=RULE, requested=("a/b",))
    assert [(each.name, each.weight) for each in wish.candidates] == [("ollama/llama", 2.0)]
    assert fallbacks(wish) == ["vllm/qwen/32b"]
    assert (wish.rule, wish.require_private) == ("home", True)


def test_fallbacks_are_the_rules_else_the_requests_else_the_keys() -> None:
    assert fallbacks(wished(requested=("a/b", "secret/x", "c/d"), usual=("e/f",))) == ["a/b", "c/d"]
    assert fallbacks(wished(usual=("e/f",))) == ["e/f"]
    plain = RoutingRule(id="r", require_private=True)
    assert fallbacks(wished(rule=plain, requested=("a/b",))) == ["a/b"]


def test_a_rule_may_refuse() -> None:
    with pytest.raises(NoRoute, match="not today") as caught:
        wished(rule=RoutingRule(id="no", refuse="not today"))
    assert caught.value.status == 403
    with pytest.raises(NoRoute, match="rule 'x' sends this request where it may not go"):
        wished(rule=RoutingRule(id="x", candidates=(WeightedModel(model="secret/x"),)))


def test_the_policy_says_how() -> None:
    routing = Routing(sticky=Sticky(enabled=False), balance=Balance.WEIGHTED, budget_seconds=7.0)
    wish = wished(routing, session="s")
    assert (wish.session, wish.balance, wish.limits.budget) == ("", Balance.WEIGHTED, 7.0)


def test_the_session_is_the_first_header_that_is_there() -> None:
    fields = (
        (b"session_id", b"two"),
        (b"x-session-id", b" one "),
        (b"x-session-id", b"no"),
        (b"x-empty", b""),
    )
    assert session_of(fields, ("x-empty", "x-session-id", "session_id")) == "one"
    assert session_of(fields, ("nope",)) == ""
    assert len(session_of(((b"x", b"y" * 5000),), ("x",))) == 32

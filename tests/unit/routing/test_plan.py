"""Plans as values, and the fallbacks that a request names."""

from __future__ import annotations

import pytest

from agent.errors import ContentError
from agent.policy.routes import Routing
from agent.routing.plan import DEFAULT_LIMITS, MAX_FALLBACKS, KeyRef, Limits, Plan, named_fallbacks
from tests.fakes.routes import candidate, plan


def test_fallbacks_come_from_the_body_else_from_the_header() -> None:
    assert named_fallbacks(["openai/gpt-5", "openrouter/meta/llama-4"], "a/b") == (
        "openai/gpt-5",
        "openrouter/meta/llama-4",
    )
    assert named_fallbacks(None, " openai/gpt-5 , anthropic/claude ,") == ("openai/gpt-5", "anthropic/claude")
    assert named_fallbacks([], "a/b") == ()
    assert named_fallbacks(None) == ()
    assert named_fallbacks(["a/b", "a/b"]) == ("a/b",)


@pytest.mark.parametrize(
    "value", ["openai/gpt-5", 3, {"a": 1}, ["gpt-5"], ["openai/"], ["/m"], [1], ["a/b"] * (MAX_FALLBACKS + 1)]
)
def test_fallbacks_of_another_shape_are_refused(value: object) -> None:
    with pytest.raises(ContentError, match="fallbacks"):
        named_fallbacks(value)


def test_a_key_serves_the_models_it_names() -> None:
    only = KeyRef(name="only", models=("gpt-5*", "o3"))
    none = KeyRef(name="none", models=())
    assert candidate("openai/gpt-5-mini", only, "any", none).serving_keys() == (only, KeyRef(name="any"))
    assert candidate("openai/gpt-4", only, none).serving_keys() == ()


def test_a_plan_without_anybody_is_none() -> None:
    with pytest.raises(ValueError, match="needs candidates"):
        Plan(candidates=(), explicit=0)
    assert plan("openai/gpt-5").candidates[0].name == "openai/gpt-5"


def test_limits_come_from_the_policy() -> None:
    assert Limits.of(Routing()) == DEFAULT_LIMITS
    assert Limits.of(Routing(hedge_after_ms=250)).hedge_after == 0.25

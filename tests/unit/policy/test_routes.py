"""The policy's `routing`: strict, with safe defaults, and rules that do something."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import PolicyError
from agent.policy import load
from agent.policy.conditions import ROUTING_VARIABLES, check_condition, check_routing_condition
from agent.policy.routes import Balance, Routing

HEAD = "schema_version: 1\nid: p\nrouting:\n"


def read(text: str) -> Routing:
    return load(f"{HEAD}{text}\n", source="p.yaml").routing


def errors(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        read(text)
    return str(caught.value)


def test_defaults_retry_and_stick_and_never_hedge() -> None:
    routing = load("schema_version: 1\nid: p\n", source="p.yaml").routing
    assert (routing.retries.each, routing.retries.total, routing.budget_seconds) == (2, 9, 300)
    assert (routing.retries.backoff_initial_ms, routing.retries.backoff_max_ms) == (500, 5000)
    assert (routing.first_token_seconds, routing.stall_seconds, routing.hedge_after_ms) == (120, 180, None)
    assert routing.balance is Balance.ADAPTIVE
    assert routing.sticky.enabled
    assert {"x-drawbridge-session", "x-session-id", "session_id", "x-claude-code-session-id"} <= set(
        routing.sticky.headers
    )


def test_a_rule_says_where_to() -> None:
    rule = read(
        """
  rules:
    - id: home
      when: '"label/confidential" in labels && cost > 0.25 && tier != "simple"'
      candidates: [{model: ollama/llama3.3}, {model: vllm/Qwen/Qwen3-32B, weight: 2}]
      fallbacks: [lmstudio/qwen]
      require_private: true
"""
    ).rules[0]
    assert [each.model for each in rule.candidates] == ["ollama/llama3.3", "vllm/Qwen/Qwen3-32B"]
    assert rule.condition is not None


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("  retrys: {}", "unknown key 'retrys': did you mean 'retries'?"),
        ("  retries: {each: 11}", "routing.retries.each: must be less than or equal to 10"),
        ("  retries: {backoff_max_ms: 100}", "'backoff_max_ms' must not be less"),
        ("  hedge_after_ms: 0", "routing.hedge_after_ms: must be greater than or equal to 50"),
        ("  balance: fair", "routing.balance: must be one of: adaptive, weighted"),
        ("  sticky: {headers: [authorization]}", "must not be a header that carries a credential"),
        ("  sticky: {headers: [host]}", "must be the name of a header"),
        ("  rules: [{id: a, candidates: [{model: gpt-5}]}]", "must be provider/model"),
        ("  rules: [{id: a, candidates: [{model: Open AI/x}]}]", "must be provider/model"),
        ("  rules: [{id: a, candidates: [{model: a/b, weight: 0}]}]", "must have a weight above 0"),
        (
            "  rules: [{id: a, refuse: 'no', require_private: true}]",
            "a rule that has 'refuse' serves nothing",
        ),
        ("  rules: [{id: a, when: 'tokens > \"4\"'}]", "values of the wrong type"),
        ("  rules: [{id: a, when: 'price > 4'}]", "there is no variable 'price' (there are: app, user,"),
        (
            "  rules:\n    - {id: a}\n    - {id: a}",
            "p.yaml:6: routing.rules[1].id: 'a' is already the id of the rule on line 5",
        ),
    ],
)
def test_mistakes_are_named(text: str, wrong: str) -> None:
    assert wrong in errors(text)


def test_what_the_page_shows_loads() -> None:
    page = (Path(__file__).parents[3] / "docs/routing.md").read_text(encoding="utf-8")
    snippet = page.partition("```yaml\n")[2].partition("```")[0]
    policy = load(f"schema_version: 1\nid: p\n{snippet}", source="docs/routing.md")
    assert policy.routing.hedge_after_ms == 4000


def test_only_routing_rules_know_what_is_found_later() -> None:
    assert {"tokens", "tier", "cost", "labels", "virtual_key", "team"} < set(ROUTING_VARIABLES)
    assert check_routing_condition("tokens > 5") == "tokens > 5"
    with pytest.raises(ValueError, match="there is no variable 'tokens'"):
        check_condition("tokens > 5")

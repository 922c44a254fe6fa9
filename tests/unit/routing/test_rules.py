"""Routing rules: the first that fits decides; conditions see what inspection found."""

from __future__ import annotations

from agent.policy.routes import RoutingRule, WeightedModel
from agent.policy.scope import Subject
from agent.routing.complexity import Complexity
from agent.routing.rules import Question, deciding_rule

LOCAL = (WeightedModel(model="ollama/llama3.3"),)
SUBJECT = Subject(host="localhost", app="claude-code", user="ann", model="gpt-5", size=12)
QUESTION = Question(
    subject=SUBJECT,
    tokens=120_000,
    tier=Complexity.COMPLEX,
    cost_usd=0.6,
    labels=("label/confidential", "secret"),
    virtual_key="vk-1",
    team="payments",
)


def decides(rule: RoutingRule, question: Question = QUESTION) -> bool:
    return deciding_rule((rule,), question) is rule


def rule(when: str | None = None, **more: object) -> RoutingRule:
    return RoutingRule(id="r", when=when, **more)  # type: ignore[arg-type]


def test_conditions_see_what_is_known_after_inspection() -> None:
    assert decides(rule('"label/confidential" in labels'))
    assert decides(rule('tier == "complex" && tokens > 100000 && cost > 0.5'))
    assert decides(rule('virtual_key == "vk-1" && team == "payments" && app == "claude-code" && size == 12'))
    assert not decides(rule("cost >= 0.7"))
    assert not decides(rule('labels.exists(l, l.startsWith("pii"))'))


def test_keys_of_scope_need_no_condition() -> None:
    assert decides(rule(models=("gpt-*",), teams=("pay*",), virtual_keys=("vk-*",)))
    assert not decides(rule(models=("claude-*",)))
    assert not decides(rule(teams=("other",)))
    assert not decides(rule(virtual_keys=("other",)))


def test_the_first_that_fits_decides() -> None:
    rules = (rule("tokens < 5"), rule("tokens > 5", candidates=LOCAL), rule(candidates=LOCAL))
    assert deciding_rule(rules, QUESTION) is rules[1]
    assert deciding_rule((), QUESTION) is None


def test_a_condition_that_fails_counts_for_safety() -> None:
    fails = "attachments[0].size > 5"
    assert decides(rule(fails, require_private=True))
    assert decides(rule(fails, refuse="not with this"))
    assert not decides(rule(fails, candidates=LOCAL))

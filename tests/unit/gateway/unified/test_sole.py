"""Plans without an alternative are remembered, others are not."""

from __future__ import annotations

from dataclasses import replace

from agent.catalog.providers import bundled_providers
from agent.gateway.unified.sole import SolePlans
from agent.routing.plan import Candidate, KeyRef, Plan

FIRST, SECOND = bundled_providers()[:2]
ONE = Plan(candidates=(Candidate(provider=FIRST, model="m"),), explicit=1)


def test_a_plan_with_one_candidate_and_one_key_is_remembered() -> None:
    plans = SolePlans()
    assert plans.find(None, "m", "") is None
    plans.keep(None, "m", "", ONE)
    assert plans.find(None, "m", "") is ONE
    assert plans.find(None, "m", "door") is None
    assert plans.find(None, "n", "") is None


def test_where_lots_health_or_a_session_have_a_say_nothing_is_remembered() -> None:
    plans = SolePlans()
    other = Candidate(provider=SECOND, model="m")
    keys = (KeyRef(name="a"), KeyRef(name="b"))
    plans.keep(None, "m", "", replace(ONE, candidates=(*ONE.candidates, other)))
    plans.keep(None, "m", "", replace(ONE, candidates=(Candidate(provider=FIRST, model="m", keys=keys),)))
    plans.keep(None, "m", "", replace(ONE, session="s"))
    assert plans.find(None, "m", "") is None

"""The policies we ship, and the examples in and beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.gateway.policy_file import read_rules, read_sidecar
from agent.inspection.sidecars import run_sidecar
from agent.model.decision import Action
from agent.policy import load

FOLDER = Path(__file__).parents[3] / "policies"
FILES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*.yaml")
    if not path.name.endswith(".examples.yaml")
)


@pytest.mark.parametrize("file", FILES)
def test_a_policy_does_what_its_examples_say(file: str) -> None:
    rules = read_rules(FOLDER / file)  # which tries those inside
    sidecar = read_sidecar(FOLDER / file)
    assert sidecar is not None
    trials = list(run_sidecar(rules, sidecar))
    assert [trial for trial in trials if not trial.ok] == []
    assert trials


def test_the_default_policy_blocks_nothing() -> None:
    text = (FOLDER / "default/policy.yaml").read_text(encoding="utf-8")
    policy = load(text, source="policy.yaml")
    assert not any(rule.action.stops for rule in (*policy.access, *policy.guardrails))
    assert policy.fallback(policy.guardrails[0]) == "allow"
    assert max(rule.action for rule in policy.guardrails) is Action.REDACT

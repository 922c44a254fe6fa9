"""The examples beside a policy are run as real exchanges would be judged."""

from __future__ import annotations

import pytest

from agent.inspection.sidecars import run_sidecar
from agent.policy.loading import load_sidecar
from tests.fakes.rulebooks import rule_book

POLICY = """
schema_version: 1
id: p
access:
  - {id: no-pictures, when: 'attachments.exists(a, a.media_type.startsWith("image/"))', action: block}
guardrails:
  - {id: trial, detect: [custom], action: block, shadow: true}
  - {id: system, detect: [custom/toy], roles: [system], action: block}
  - {id: sure, detect: [custom/toy], threshold: 0.8, action: redact}
  - {id: bulk, detect: [custom/toy], at_least: 2, where: [prompt], action: ask}
detectors: [{id: toy, pattern: 'TOY-[0-9]'}]
"""


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("findings: [{finding: custom/toy, action: redact, rule: sure}]", True),
        ("findings: [{finding: custom/toy, action: redact}]", False),
        ("findings: [{finding: custom/toy, score: 0.5, action: allow}]", True),
        ("findings: [{finding: custom/toy, role: system, action: block, rule: system}]", True),
        ("findings: [{finding: pii/email, where: answer, action: allow}]", True),
        ("texts: [{text: a TOY-1, action: redact}]", True),
        ("texts: [{text: a TOY-1, action: redact, rule: bulk}]", False),
        ("texts: [{text: a TOY-1, where: tool_result, action: redact, rule: sure}]", True),
        ("texts: [{text: no toy, action: allow}]", True),
        ("access: [{action: block, rule: no-pictures, attachments: [{media_type: image/png}]}]", True),
        ("access: [{action: allow, attachments: [{media_type: text/plain}]}]", True),
        ("access: [{action: block}]", False),
    ],
)
def test_an_example_must_come_out_as_it_says(case: str, expected: bool) -> None:
    [trial] = run_sidecar(rule_book(POLICY), load_sidecar(case, source="x.yaml"))
    assert trial.ok is expected


def test_what_came_out_is_told() -> None:
    sidecar = load_sidecar("texts: [{text: a TOY-1, action: block, rule: system}]", source="x.yaml")
    [trial] = run_sidecar(rule_book(POLICY), sidecar)
    assert (trial.expected, trial.got, trial.rule) == ("block by system", "redact by sure", "sure")
    assert trial.location == ("texts", 0)


APPS = """
schema_version: 1
id: p
apps:
  default: pending
  pending: block
  rules:
    - {id: codex, apps: [codex], surfaces: [openai], state: approved, routing: native, accounts: block}
"""


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("{app: codex, state: approved, rule: codex, routing: native}", True),
        ("{app: codex, state: approved, rule: codex}", False),
        ("{app: codex, host: api.anthropic.com, state: pending, action: block}", True),
        ("{app: codex, surface: anthropic, state: pending, action: block}", True),
        (
            "{app: codex, tenancy: personal, state: approved, rule: codex, routing: native, action: block}",
            True,
        ),
        ("{app: cursor, state: pending, action: block}", True),
        ("{app: cursor, path: /v1/chat/completions, state: pending, action: block}", True),
        ("{app: cursor, path: /v1/models, state: pending}", True),
        ("{app: cursor, state: denied, action: block}", False),
    ],
)
def test_examples_of_programs_name_what_decides(case: str, expected: bool) -> None:
    (trial,) = run_sidecar(rule_book(APPS), load_sidecar(f"apps: [{case}]", source="p.examples.yaml"))
    assert trial.ok is expected, trial

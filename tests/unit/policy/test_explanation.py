"""The explanation names every rule that was examined, and why it fits or not."""

from __future__ import annotations

from agent.policy import Subject, explain, load

POLICY = load(
    """
schema_version: 1
id: p
access:
  - {id: chat, hosts: [chat.example], action: block}
  - {id: models, models: ["gpt-4*"], action: allow}
  - {id: rest, action: block}
guardrails:
  - {id: secrets, detect: [secret], where: [prompt], action: redact}
  - {id: other, detect: [pii], apps: [cursor], action: block}
""",
    source="p.yaml",
)


def test_rules_are_explained_down_to_the_one_that_decides_then_the_guardrails() -> None:
    steps = explain(POLICY, Subject(host="api.example", model="gpt-4o", app="codex"))
    assert [(step.rule_id, step.matched, step.decides, step.why) for step in steps] == [
        ("chat", False, False, "host 'api.example' fits none of: chat.example"),
        ("models", True, True, "fits by models"),
        ("secrets", True, False, "applies to everything; redacts secret in prompt"),
        ("other", False, False, "app 'codex' fits none of: cursor"),
    ]


def test_a_block_ends_the_explanation() -> None:
    steps = explain(POLICY, Subject(host="chat.example"))
    assert [(step.section, step.rule_id, step.action, step.decides) for step in steps] == [
        ("access", "chat", "block", True)
    ]

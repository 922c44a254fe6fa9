"""The explanation names every rule that was examined, and why it fits or not."""

from __future__ import annotations

from agent.model.login import Login, Tenancy
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


def test_what_a_guardrail_asks_for_is_said() -> None:
    policy = load(
        "schema_version: 1\nid: p\nguardrails:\n"
        "  - {id: g, detect: [pii], where: [prompt], roles: [user], action: ask, severity: high, threshold: 0.5,\n"
        "     at_least: 3, sampling: 0.1, shadow: true, when: size > 10}\n",
        source="p.yaml",
    )
    [step] = explain(policy, Subject(host="api.example"))
    assert step.why == (
        "applies to everything, when size > 10; asks pii in prompt, said by user, of a score of 0.5 or more, "
        "where there are 3 different ones, in 10 % of the exchanges, severity high, on trial (shadow): recorded only"
    )


def test_an_access_rule_whose_condition_does_not_hold_says_so() -> None:
    policy = load(
        "schema_version: 1\nid: p\naccess: [{id: a, when: size > 10, action: block}]", source="p.yaml"
    )
    [step] = explain(policy, Subject(host="api.example"))
    assert (step.matched, step.why) == (False, "the condition does not hold: size > 10")


APPS = load(
    """
schema_version: 1
id: p
providers: {openai: {key: 'env:K'}}
apps:
  default: pending
  pending: observe
  rules:
    - {id: web, kinds: [chat], tenancies: [personal], state: denied}
    - {id: late, apps: [codex], when: "hour > 20", state: denied}
    - {id: codex, apps: [codex], state: approved, routing: gateway, unknown_accounts: metadata}
guardrails:
  - {id: waiting, detect: [secret], when: "state == 'pending'", action: block}
""",
    source="p.yaml",
)


def test_programs_are_explained_before_everything_else() -> None:
    steps = explain(APPS, Subject(host="api.example", app="codex", kind="api"))
    assert [(step.section, step.rule_id, step.action, step.decides, step.why) for step in steps[:3]] == [
        ("apps", "web", "denied", False, "kind 'api' fits none of: chat"),
        ("apps", "late", "denied", False, "the condition does not hold: hour > 20"),
        (
            "apps",
            "codex",
            "approved",
            True,
            "fits by apps; no content is kept; is served by the policy's providers",
        ),
    ]
    assert steps[3].section == "guardrails"


def test_what_decides_where_no_rule_does_is_said() -> None:
    steps = explain(APPS, Subject(host="api.example", app="cursor", kind="chat"))
    assert steps[0].why == "tenancy 'unknown' fits none of: personal"
    assert (steps[3].rule_id, steps[3].action) == ("apps.default", "pending")
    assert steps[3].why == "no rule fits; works, and each exchange is an alert"


def test_a_denied_program_ends_the_explanation() -> None:
    login = Login(tenancy=Tenancy.PERSONAL)
    steps = explain(APPS, Subject(host="chat.example", surface="chat", kind="chat", login=login))
    assert [step.rule_id for step in steps] == ["web"]
    assert steps[0].why == (
        "fits by kinds, tenancies; blocked by web: a program that is not known is not allowed on chat"
    )

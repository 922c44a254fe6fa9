"""Access rules: the first that fits decides."""

from __future__ import annotations

import pytest

from agent.model.app import Asker, Evidence
from agent.policy import Policy, Subject, access, load

POLICY = load(
    """
schema_version: 1
id: p
message: "No: {reason} [{rule}/{ref}]"
access:
  - {id: lab, users: [alice], hosts: ["*.example"], action: allow}
  - {id: chat, hosts: [chat.example], paths: ["/api/*"], action: block, message: "Use ours. {ref}"}
  - {id: ok, surfaces: [openai], models: ["gpt-4*"], action: allow}
  - {id: tool, apps: [cursor], models: ["?*"], action: block}
""",
    source="p.yaml",
)


@pytest.mark.parametrize(
    ("subject", "allowed", "rule"),
    [
        (Subject(host="chat.example", path="/api/send", user="Alice"), True, "lab"),
        (Subject(host="chat.example", path="/api/send"), False, "chat"),
        (Subject(host="CHAT.example", path="/API/send"), False, "chat"),
        (Subject(host="chat.example", path="/login"), True, ""),
        (Subject(host="api.openai.com", surface="openai", app="cursor", model="GPT-4o"), True, "ok"),
        (Subject(host="api.openai.com", surface="openai", app="cursor", model="o3"), False, "tool"),
        (Subject(host="api.openai.com", surface="openai", app="cursor"), True, ""),
    ],
)
def test_the_first_rule_that_fits_decides(subject: Subject, allowed: bool, rule: str) -> None:
    verdict = access.decide(POLICY, subject)
    assert (verdict.allowed, verdict.rule_id) == (allowed, rule)


def test_a_block_carries_its_reason_and_the_rules_own_message_before_the_policys() -> None:
    own = access.decide(POLICY, Subject(host="chat.example", path="/api/x"))
    general = access.decide(POLICY, Subject(host="api.openai.com", app="cursor", model="o3"))
    assert own.message == "Use ours. {ref}"
    assert general.message == "No: {reason} [{rule}/{ref}]"
    assert general.reason == "access rule 'tool' does not allow o3 on api.openai.com"


def test_without_rules_everything_is_allowed() -> None:
    verdict = access.decide(Policy(schema_version=1, id="p"), Subject(host="x.example"))
    assert (verdict.allowed, verdict.rule_id, verdict.message) == (True, "", "")


CONDITIONS = load(
    """
schema_version: 1
id: p
access:
  - {id: small, when: "size <= 10", action: allow}
  - {id: large, when: "size > 20", action: block}
""",
    source="p.yaml",
)


@pytest.mark.parametrize(
    ("size", "allowed", "rule"), [(10, True, "small"), (15, True, ""), (21, False, "large")]
)
def test_a_condition_must_hold(size: int, allowed: bool, rule: str) -> None:
    verdict = access.decide(CONDITIONS, Subject(host="x.example", size=size))
    assert (verdict.allowed, verdict.rule_id) == (allowed, rule)


@pytest.mark.parametrize(("action", "fits"), [("allow", False), ("block", True)])
def test_a_rule_whose_condition_fails_only_applies_if_it_blocks(action: str, fits: bool) -> None:
    rules = f"[{{id: r, when: 'attachments[0].size > 5', action: {action}}}]"
    rule = load(f"schema_version: 1\nid: p\naccess: {rules}", source="p.yaml").access[0]
    assert access.fits(rule, Subject(host="x.example")) is fits


CLAIM = Asker(app="cursor", evidence=Evidence.CLAIMED, claimed="cursor")
SEEN = Asker(app="cursor", evidence=Evidence.PROCESS, seen="cursor")
GUEST = Asker(app="cursor", evidence=Evidence.CLAIMED, claimed="cursor", seen="vscode", within=("vscode",))
BY_APP = load(
    """
schema_version: 1
id: p
access:
  - {id: may, apps: [cursor], hosts: [a.example], action: allow}
  - {id: anyone, apps: ["*"], hosts: [b.example], action: allow}
  - {id: not-here, apps: [cursor], hosts: [c.example], action: block}
  - {id: rest, hosts: ["*.example"], action: block}
""",
    source="p.yaml",
)


@pytest.mark.parametrize(
    ("host", "asker", "rule"),
    [
        ("a.example", SEEN, "may"),
        ("a.example", GUEST, "may"),
        ("a.example", CLAIM, "rest"),
        ("a.example", Asker(app="cursor", evidence=Evidence.ENDPOINT), "rest"),
        ("a.example", Asker(), "may"),
        ("b.example", CLAIM, "anyone"),
        ("c.example", CLAIM, "not-here"),
        ("c.example", SEEN, "not-here"),
    ],
)
def test_what_only_says_that_it_is_an_app_gets_nothing_allowed_by_it(
    host: str, asker: Asker, rule: str
) -> None:
    assert access.decide(BY_APP, Subject(host=host, app="cursor", asker=asker)).rule_id == rule

"""The section `attachments`: what may stand there."""

from __future__ import annotations

import pytest

from agent.errors import PolicyError
from agent.policy import load


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{id: a, kinds: [pdf]}", "unknown key 'kinds'"),
        ("{types: [pdf]}", "this key is required"),
        ("{id: a, action: redact}", "must be one of: allow, block"),
        ("{id: a, on_redact: mask}", "must be one of: block, remove, allow"),
        ("{id: a, on_unreadable: remove}", "must be one of: allow, block"),
        ("{id: a, max_bytes: -1}", "must be"),
        ("{id: a, extensions: ['*.pdf']}", "must be the last extension of a name"),
        ("{id: a, surfaces: [opnai]}", "is no surface"),
        ("{id: a, when: 'attachments.exists(a, a.lines > 1)'}", "nothing has the attribute 'lines'"),
    ],
)
def test_a_mistake_is_told_with_its_place(rule: str, said: str) -> None:
    from agent.policy import KnownNames

    with pytest.raises(PolicyError, match=r"p\.yaml:3") as error:
        load(
            f"schema_version: 1\nid: p\nattachments: [{rule}]",
            source="p.yaml",
            known=KnownNames(surfaces=frozenset({"openai"})),
        )
    assert said in str(error.value)


def test_ids_are_shared_with_access_rules_and_guardrails() -> None:
    with pytest.raises(PolicyError, match="ids must be unique"):
        load(
            "schema_version: 1\nid: p\naccess: [{id: a, action: block}]\nattachments: [{id: a}]",
            source="p.yaml",
        )


def test_a_rule_reads_and_blocks_what_it_would_have_to_rewrite() -> None:
    (rule,) = load("schema_version: 1\nid: p\nattachments: [{id: a}]", source="p.yaml").attachments
    assert (rule.read, rule.on_redact, rule.on_unreadable, rule.action.word) == (
        True,
        "block",
        "allow",
        "allow",
    )

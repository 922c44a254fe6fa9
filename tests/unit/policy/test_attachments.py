"""Which rule decides about a file."""

from __future__ import annotations

import pytest

from agent.model.content import Attachment
from agent.policy import Policy, Subject, load
from agent.policy.attachments import NO_RULE, may_be_read, refusal_of, rule_for

SUBJECT = Subject(host="api.openai.com", surface="openai", user="ann")
PDF = Attachment(kind="file", type="pdf", media_type="application/pdf", name="A.PDF", size=10)


def policy(rules: str) -> Policy:
    return load(f"schema_version: 1\nid: p\nattachments: {rules}", source="p.yaml")


@pytest.mark.parametrize(
    ("rules", "decides"),
    [
        ("[]", "attachments"),
        ("[{id: a}]", "a"),
        ("[{id: a, types: [docx]}, {id: b, types: ['p*']}]", "b"),
        ("[{id: a, media_types: ['image/*']}, {id: b, media_types: ['APPLICATION/*']}]", "b"),
        ("[{id: a, extensions: [.pdf]}]", "a"),
        ("[{id: a, extensions: [docx]}]", "attachments"),
        ("[{id: a, users: [eve]}, {id: b, users: [ann]}]", "b"),
        ("[{id: a, surfaces: [anthropic]}, {id: b, hosts: ['api.*.com']}]", "b"),
        ("[{id: a, when: 'user == \"eve\"'}, {id: b, when: 'user == \"ann\"'}]", "b"),
        ("[{id: a, types: [pdf], extensions: [docx]}, {id: b}]", "b"),
    ],
)
def test_the_first_rule_that_fits_decides(rules: str, decides: str) -> None:
    assert rule_for(policy(rules), SUBJECT, PDF).id == decides


def test_a_condition_that_fails_counts_where_its_rule_blocks() -> None:
    failing = "when: 'attachments[5].size > 1'"
    assert rule_for(policy(f"[{{id: a, action: block, {failing}}}]"), SUBJECT, PDF).id == "a"
    assert rule_for(policy(f"[{{id: a, {failing}}}]"), SUBJECT, PDF) is NO_RULE


@pytest.mark.parametrize(
    ("rules", "read"),
    [
        ("[]", True),
        ("[{id: a, read: false}]", False),
        ("[{id: a, extensions: [pdf], read: false}]", False),
        ("[{id: a, extensions: [docx], read: false}]", True),
        ("[{id: a, types: [docx], action: block}, {id: b, read: false}]", True),  # to know what it is
        ("[{id: a, read: false}, {id: b, types: [docx]}]", False),
    ],
)
def test_a_file_is_read_unless_it_is_certain_that_it_is_not_to_be(rules: str, read: bool) -> None:
    unknown = Attachment(kind="file", name="a.pdf")
    assert may_be_read(policy(rules), SUBJECT, unknown) is read


@pytest.mark.parametrize(
    ("rule", "file", "why"),
    [
        ("{id: a, action: block}", PDF, "files of this kind (pdf) may not go along"),
        ("{id: a, max_bytes: 9}", PDF, "a file is larger than 9 bytes"),
        ("{id: a, max_bytes: 10}", PDF, ""),
        ("{id: a, max_count: 1}", PDF, "more than 1 files go along"),
        ("{id: a}", Attachment(kind="file", problem="encrypted"), ""),
        (
            "{id: a, on_unreadable: block}",
            Attachment(kind="file", problem="unknown_file"),
            "a file (file) cannot be read (unknown file)",
        ),
        ("{id: a, on_unreadable: block, read: false}", Attachment(kind="file", problem="encrypted"), ""),
        ("{id: a, on_unreadable: block}", Attachment(kind="file", problem="pending"), ""),
        ("{id: a, on_unreadable: block}", Attachment(kind="image", type="png"), ""),
    ],
)
def test_what_a_rule_refuses(rule: str, file: Attachment, why: str) -> None:
    refused = refusal_of(policy(f"[{rule}]").attachments[0], file, count=2)
    assert (refused.reason if refused is not None else "") == why

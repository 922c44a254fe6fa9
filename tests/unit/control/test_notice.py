"""The notice says what the policy in force does, and cannot be made to say anything else."""

from __future__ import annotations

from agent.control.notice import notice_page
from agent.inspection import RuleBook
from agent.policy import load

POLICY = """\
schema_version: 1
id: said
capture: metadata
notice: {{organisation: "{who}", contact: "it@example.com"}}
guardrails:
  - {{id: keys, detect: [secret], action: redact}}
"""


def page(who: str = "ACME") -> str:
    return notice_page(RuleBook(load(POLICY.format(who=who), source="test")))


def test_it_says_what_is_decrypted_kept_and_whom_to_ask() -> None:
    text = page()
    for part in (
        "api.anthropic.com",
        "are taken out",
        "No prompt and no answer",
        "7 days",
        "it@example.com",
        "ACME",
    ):
        assert part in text


def test_words_of_the_policy_are_no_markup() -> None:
    assert "<script>" not in page("<script>alert(1)</script>")


def test_it_says_so_where_nobody_is_named() -> None:
    text = notice_page(RuleBook(load("schema_version: 1\nid: bare\n", source="test")))
    assert "names nobody" in text
    assert "There are no rules" in text

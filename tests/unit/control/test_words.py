"""The policy in words."""

from __future__ import annotations

from agent.audit.retention import Limits
from agent.control import words
from agent.inspection import RuleBook
from agent.policy import load

POLICY = """\
schema_version: 1
id: said
mode: observe
capture: redacted
fail: {hosts: {api.openai.com: closed}}
apps: {accounts: block, rules: [{id: no-cursor, apps: [cursor], state: denied}]}
access:
  - {id: old, models: [gpt-3*], action: block, when: "hour > 20"}
attachments:
  - {id: pdfs, types: [pdf], action: block}
guardrails:
  - {id: keys, detect: [secret, pii/payment_card], where: [prompt], action: redact, apps: [codex-cli]}
  - {id: trial, detect: [pii], action: block, shadow: true}
"""


def book() -> RuleBook:
    return RuleBook(load(POLICY, source="test"))


def test_every_rule_is_said_in_its_order() -> None:
    said = {each.id: (each.about, each.does) for each in words.rules(book().policy)}
    assert said == {
        "no-cursor": ("from cursor", "may not ask"),
        "old": ("for the model gpt-3* when hour > 20", "is blocked"),
        "pdfs": ("pdf", "are blocked"),
        "keys": ("secrets, payment card in prompts, from codex-cli", "are taken out"),
        "trial": ("personal data", "block the request (on trial: only recorded)"),
    }


def test_what_people_should_know_is_said() -> None:
    policy = book().policy
    notes = " ".join(words.notes(policy))
    assert "only recorded" in notes
    assert "paused for 60 minutes, with a reason" in notes
    assert "Personal accounts: requests with them are blocked." in notes
    assert "after what was found in it was taken out" in words.kept(policy)
    assert "7 days" in words.kept_for(Limits())


def test_services_are_told_with_their_hosts() -> None:
    told = words.services(book())
    openai = next(each for each in told if each["id"] == "openai")
    assert "api.openai.com" in str(openai["hosts"])
    assert openai["closed"] is True
    assert [each["name"] for each in told] == sorted((each["name"] for each in told), key=str.lower)  # type: ignore[arg-type]

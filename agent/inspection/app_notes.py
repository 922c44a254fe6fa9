"""What an author should know about the rules of `apps`: programs that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from agent.catalog import Apps
from agent.guardrails.notes import Note
from agent.policy import Policy
from agent.policy.glob import matches


def app_notes(policy: Policy, apps: Apps) -> Iterator[Note]:
    """A note for each program that a rule names and the catalog does not know. No error: a policy may be ahead of the
    catalog."""
    known = {app.id for app in apps}
    for rule in policy.apps.rules if known else ():
        for name in rule.apps:
            if not any(matches(name, each) for each in known):
                text = f"'{name}' is no program that the catalog knows: the rule may never fit"
                yield Note(pack="apps", rule=rule.id, key="apps", text=text)

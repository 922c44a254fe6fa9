"""A policy that names programs which nobody knows works, and its author is told."""

from __future__ import annotations

from agent.catalog import Apps
from agent.inspection.app_notes import app_notes
from agent.model.app import App, AppKind
from agent.policy import Policy, load

KNOWN = Apps(
    App(id=name, name=name, vendor="v", kind=AppKind.AGENT, names=(name,))
    for name in ("codex", "claude-code")
)


def policy(apps: str) -> Policy:
    rules = f"{{rules: [{{id: r, apps: {apps}, state: denied}}]}}"
    return load(f"schema_version: 1\nid: p\napps: {rules}", source="p.yaml")


def test_an_unknown_program_is_named() -> None:
    notes = list(app_notes(policy("[codex, 'claude-*', cluade-code]"), KNOWN))
    assert [str(note) for note in notes] == [
        "apps: rule r: apps: 'cluade-code' is no program that the catalog knows: the rule may never fit"
    ]


def test_a_catalog_that_knows_no_programs_says_nothing() -> None:
    assert list(app_notes(policy("[x]"), Apps(()))) == []

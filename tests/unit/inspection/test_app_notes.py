"""A policy that names programs which nobody knows works, and its author is told."""

from __future__ import annotations

from agent.catalog import Catalog
from agent.inspection.app_notes import app_notes
from agent.model.surface import Endpoint, Surface
from agent.policy import Policy, load

SURFACE = Surface(
    id="s",
    name="S",
    provider="s",
    hosts=("s.example",),
    apps=("codex",),
    endpoints=(Endpoint(path="/x", dialect="openai-chat", app="claude-code"),),
)


def policy(apps: str) -> Policy:
    rules = f"{{rules: [{{id: r, apps: {apps}, state: denied}}]}}"
    return load(f"schema_version: 1\nid: p\napps: {rules}", source="p.yaml")


def test_an_unknown_program_is_named() -> None:
    notes = list(app_notes(policy("[codex, 'claude-*', cluade-code]"), Catalog((SURFACE,))))
    assert [str(note) for note in notes] == [
        "apps: rule r: apps: 'cluade-code' is no program that the catalog knows: the rule may never fit"
    ]


def test_a_catalog_that_knows_no_programs_says_nothing() -> None:
    assert list(app_notes(policy("[x]"), Catalog(()))) == []

"""The policies we ship, and the examples in and beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.gateway.policy_file import read_rules, read_sidecar
from agent.gateway.unified.routebook import RouteBook
from agent.inspection import RuleBook
from agent.inspection.sidecars import run_sidecar
from agent.model.decision import Action
from agent.policy import load
from agent.policy.loading import load_sidecar

FOLDER = Path(__file__).parents[3] / "policies"
FILES = sorted(
    path.relative_to(FOLDER).as_posix()
    for path in FOLDER.rglob("*.yaml")
    if not path.name.endswith(".examples.yaml")
)


@pytest.mark.parametrize("file", FILES)
def test_a_policy_does_what_its_examples_say(file: str) -> None:
    rules = read_rules(FOLDER / file)  # which tries those inside
    sidecar = read_sidecar(FOLDER / file)
    assert sidecar is not None
    trials = list(run_sidecar(rules, sidecar))
    assert [trial for trial in trials if not trial.ok] == []
    assert trials


def test_the_default_policy_blocks_nothing() -> None:
    text = (FOLDER / "default/policy.yaml").read_text(encoding="utf-8")
    policy = load(text, source="policy.yaml")
    assert not any(rule.action.stops for rule in (*policy.access, *policy.guardrails))
    assert policy.fallback(policy.guardrails[0]) == "allow"
    assert max(rule.action for rule in policy.guardrails) is Action.REDACT


REFERENCE = (FOLDER.parent / "docs/policy.md").read_text(encoding="utf-8")
SNIPPETS = [part.partition("```")[0] for part in REFERENCE.split("```yaml\n")[1:]]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_what_the_reference_shows_loads(snippet: str) -> None:
    if snippet.startswith("findings:"):
        assert load_sidecar(snippet, source="docs/policy.md").texts
    else:
        rules = RuleBook(load(f"schema_version: 1\nid: p\n{snippet}", source="docs/policy.md"))
        assert rules.policy.id == "p"


def documented() -> Iterator[tuple[str, str]]:
    """Every whole policy that the documentation shows, by the page and its line there."""
    for page in (FOLDER.parent / "README.md", *sorted((FOLDER.parent / "docs").glob("*.md"))):
        line = 1
        for number, part in enumerate(page.read_text(encoding="utf-8").split("```")):
            if number % 2 and part.startswith("yaml\nschema_version"):
                yield f"{page.name}:{line}", part.removeprefix("yaml\n")
            line += part.count("\n")


WHOLE = tuple(documented())


@pytest.mark.parametrize(("place", "text"), WHOLE, ids=[place for place, _ in WHOLE])
def test_every_policy_in_the_documentation_can_be_used(place: str, text: str) -> None:
    policy = load(text, source=place)
    assert RuleBook(policy).policy.id
    assert set(RouteBook(policy).providers) == set(policy.providers)

"""How good the guardrails are, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.eval import all_families
from agent.model.findings import Family
from tests.fakes.command_line import Drawbridge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set about the word that the small policy looks for: two found, one missed, one alarm."""
    rows = [
        {
            "text": "we call it Nightjar",
            "spans": [{"start": 11, "end": 19, "type": "project"}],
            "context": "mail",
        },
        {"text": "Nightjar!", "spans": [{"start": 0, "end": 8, "type": "project"}], "context": "mail"},
        {
            "text": "N i g h t j a r",
            "spans": [{"start": 0, "end": 15, "type": "project"}],
            "context": "spaced",
        },
        {"text": "the nightjar is a bird", "context": "birds"},
        {"text": "nothing"},
    ]
    folder = tmp_path / "sets" / "deep"
    folder.mkdir(parents=True)
    (folder / "custom.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    (folder / "benign.jsonl").write_text('{"text": "hello"}\n')
    return folder.parent


def test_the_figures_come_as_json(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    result = drawbridge("eval", folder, "--policy", policy, "--json")
    assert result.exit_code == 0
    figures = json.loads(result.stdout)["families"]["custom"]
    assert figures["metrics"] == pytest.approx(
        {
            "precision": 2 / 3,
            "recall": 2 / 3,
            "f1": 2 / 3,
            "typed": 1,
            "covered": 2 / 3,
            "false_alarms": 1 / 2,
            "benign": 0,
            "evasion": None,
        }
    )
    assert figures["contexts"]["mail"]["recall"] == 1


def test_the_tables_name_what_is_worst(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    lines = drawbridge("eval", folder, "--policy", policy).stdout.splitlines()
    assert any(line.startswith("custom ") and "0.667" in line for line in lines)
    assert any(line.split()[:4] == ["spaced", "1", "1", "0"] for line in lines)


def test_mistakes_are_shown_in_their_context(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    shown = drawbridge("eval", folder, "--policy", policy, "--show-errors", 5).stdout
    assert "deep/custom.jsonl:3" in shown
    assert "N i g h t j a r" in shown
    assert "false alarm by project" in shown


def test_mistakes_can_be_narrowed(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    shown = drawbridge(
        "eval", folder, "--policy", policy, "--show-errors", 5, "--only", "birds", "--json"
    ).stdout
    assert [each["context"] for each in json.loads(shown)["mistakes"]] == ["birds"]


def test_a_bar_that_is_missed_fails_the_command(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    arguments = ("eval", folder, "--policy", policy, "--require", "custom.recall=0.6")
    assert drawbridge(*arguments).exit_code == 0
    result = drawbridge(*arguments, "--require", "custom.false_alarms=0.1")
    assert result.exit_code == 1
    assert "missed" in result.stdout


def test_a_row_that_is_none_is_named(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    (folder / "pii.jsonl").write_text('{"text": "x"}\n{"text": 1}\n')
    result = drawbridge("eval", folder, "--policy", policy)
    assert result.exit_code == 1
    assert "pii.jsonl:2" in result.stderr


def test_a_folder_without_sets_is_explained(drawbridge: Drawbridge, policy: Path, tmp_path: Path) -> None:
    result = drawbridge("eval", tmp_path, "--policy", policy)
    assert result.exit_code == 1
    assert "no .jsonl file" in result.stderr


def test_a_single_file_will_do(drawbridge: Drawbridge, policy: Path, folder: Path) -> None:
    result = drawbridge("eval", folder / "deep" / "custom.jsonl", "--policy", policy, "--json")
    assert json.loads(result.stdout)["rows"] == 5


def test_without_a_policy_every_family_is_looked_for() -> None:
    looked_for = {rule.family for rule in all_families().scanner.rules}
    assert looked_for >= {Family.SECRET, Family.PII, Family.INJECTION}

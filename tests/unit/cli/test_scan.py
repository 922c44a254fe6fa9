"""What the guardrails would find in a text, offline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.scan import judged
from agent.gateway.policy_file import PolicyFile
from agent.model.decision import Action
from tests.fakes.command_line import Drawbridge


def rows(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_file_is_scanned_and_the_place_is_told(
    drawbridge: Drawbridge, policy: Path, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_bytes("ä\r\nwe call it Nightjar\n".encode())
    result = drawbridge("scan", text, "--policy", policy)
    assert result.exit_code == 0
    header, found, verdict = (line.split() for line in result.stdout.splitlines())
    assert dict(zip(header, found, strict=True)) == {
        "line": "2",
        "column": "12",
        "family": "custom",
        "type": "project",
        "rule": "project",
        "length": "8",
    }
    assert " ".join(verdict) == "1 finding; as a prompt this would be: block"


def test_standard_input_is_the_default(drawbridge: Drawbridge, policy: Path) -> None:
    assert drawbridge("scan", "--policy", policy, stdin="nothing here").stdout == (
        "0 findings; as a prompt this would be: allow\n"
    )


def test_json_lines_come_in_and_go_out(drawbridge: Drawbridge, policy: Path) -> None:
    lines = [{"id": 7, "text": "nightjar"}, {"id": "b", "text": "Zoë"}]
    result = drawbridge(
        "scan", "--json", "--policy", policy, stdin="\n".join(map(json.dumps, lines)) + "\n\n"
    )
    project = {"family": "custom", "type": "project", "rule": "project", "start": 0, "end": 8}
    assert rows(result.stdout) == [
        {"id": 7, "findings": [project], "decision": "block"},
        {"id": "b", "findings": [], "decision": "allow"},
    ]


@pytest.mark.parametrize(
    "line", ["{", "[1]", '{"id": 1}', '{"text": "x"}', '{"id": 1, "text": 2}', "[" * 100_000]
)
def test_a_line_that_is_none_is_named(drawbridge: Drawbridge, policy: Path, line: str) -> None:
    result = drawbridge("scan", "--json", "--policy", policy, stdin=f'{{"id": 1, "text": ""}}\n{line}\n')
    assert result.exit_code == 1
    assert "line 2" in result.stderr
    assert len(rows(result.stdout)) == 1


def test_offsets_count_characters_also_where_bytes_are_no_text(drawbridge: Drawbridge, policy: Path) -> None:
    result = drawbridge(
        "scan", "--policy", policy, stdin="ü \udcff nightjar".encode("utf-8", "surrogateescape")
    )
    assert result.stdout.splitlines()[1].split()[:2] == ["1", "5"]


def test_a_file_that_cannot_be_read_is_explained(
    drawbridge: Drawbridge, policy: Path, tmp_path: Path
) -> None:
    result = drawbridge("scan", tmp_path / "gone", "--policy", policy)
    assert result.exit_code == 1
    assert "cannot read" in result.stderr


def test_the_bundled_policy_is_the_default(drawbridge: Drawbridge) -> None:
    card = "4539 " + "1488 0343 6467"
    assert "payment_card" in drawbridge("scan", stdin=f"my card: {card}").stdout


def test_the_decision_is_the_one_on_a_prompt(policy: Path) -> None:
    policy.write_text(policy.read_text().replace("action: block", "where: [answer], action: block"))
    findings, action = judged(PolicyFile(policy).rules, "nightjar")
    assert (len(findings), action) == (1, Action.ALLOW)

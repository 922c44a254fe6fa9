"""A fingerprint file is made from folders, and a policy that names it finds their documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.cli.fingerprint import MAX_FILE
from tests.fakes.command_line import Drawbridge
from tests.unit.guardrails.test_fingerprints import words

POLICY = """
schema_version: 1
id: p
detectors:
  - {{id: own-source, fingerprints: own.dbfp{more}}}
guardrails:
  - {{id: g, detect: [custom/own-source], action: block}}
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    for place in ("one.txt", "deep/two.txt", ".git/config"):
        (folder / place).write_text(" ".join(words(len(place), 300)))
    (folder / "picture.bin").write_bytes(b"\0" * 100)
    (folder / "latin.txt").write_bytes(b"caf\xe9 " * 100)
    (folder / "large.txt").write_bytes(b"x " * MAX_FILE)
    (folder / "note.txt").write_text("short")
    (folder / "link.txt").symlink_to(folder / "one.txt")
    return folder


def test_documents_are_counted_and_what_was_left_out_is_told(
    drawbridge: Drawbridge, source: Path, tmp_path: Path
) -> None:
    made = drawbridge("fingerprint", tmp_path / "own.dbfp", "--id", "own", source, "--json")
    facts = json.loads(made.stdout)
    assert (facts["documents"], facts["keyed"]) == (2, False)
    assert facts["left_out"] == {"binary": 2, "too large": 1, "too short": 1}
    shown = drawbridge("fingerprint", tmp_path / "own.dbfp", "--id", "own", source).stdout
    assert "2 documents" in shown
    assert "1 too large" in shown


def test_a_policy_finds_what_was_fingerprinted(drawbridge: Drawbridge, source: Path, tmp_path: Path) -> None:
    drawbridge("fingerprint", tmp_path / "own.dbfp", "--id", "own", source)
    (tmp_path / "policy.yaml").write_text(POLICY.format(more=""))
    text = json.dumps({"id": "a", "text": f"why does this fail? {(source / 'one.txt').read_text()}"})
    answer = json.loads(
        drawbridge("scan", "-", "--json", "--policy", tmp_path / "policy.yaml", stdin=text + "\n").stdout
    )
    assert [finding["type"] for finding in answer["findings"]] == ["own-source"]
    assert answer["decision"] == "block"
    assert "not answers while they stream" in drawbridge("policy", "check", tmp_path).stdout


def test_a_key_is_needed_where_one_was_used(
    drawbridge: Drawbridge, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAWBRIDGE_TEST_KEY", "of the test")
    drawbridge(
        "fingerprint", tmp_path / "own.dbfp", "--id", "own", "--key", "env:DRAWBRIDGE_TEST_KEY", source
    )
    (tmp_path / "policy.yaml").write_text(POLICY.format(more=""))
    assert "needs the key" in drawbridge("policy", "check", tmp_path).stderr
    (tmp_path / "policy.yaml").write_text(POLICY.format(more=", key: 'env:DRAWBRIDGE_TEST_KEY'"))
    assert drawbridge("policy", "check", tmp_path).exit_code == 0


def test_what_is_public_is_not_ours(drawbridge: Drawbridge, source: Path, tmp_path: Path) -> None:
    public = source / "one.txt"
    made = drawbridge("fingerprint", tmp_path / "o", "--id", "own", "--leave-out", public, source, "--json")
    assert json.loads(made.stdout)["documents"] == 1


def test_a_path_that_is_not_there_is_explained(drawbridge: Drawbridge, tmp_path: Path) -> None:
    result = drawbridge("fingerprint", tmp_path / "o", "--id", "own", tmp_path / "gone")
    assert result.exit_code == 1
    assert "there is no" in result.stderr

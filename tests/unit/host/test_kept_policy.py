"""The last good policy: kept as it was, and nothing that is not whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.kept_policy import keep_policy, kept_policy

SOURCE = Path("/etc/drawbridge/policy.yaml")


def test_text_and_source_come_back(tmp_path: Path) -> None:
    keep_policy(tmp_path / "policy.json", SOURCE, "id: ä\n")
    assert kept_policy(tmp_path / "policy.json") == (SOURCE, "id: ä\n")
    assert (tmp_path / "policy.json").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "policy.json").stat().st_ino
    keep_policy(tmp_path / "policy.json", SOURCE, "id: ä\n")
    assert (tmp_path / "policy.json").stat().st_ino == before  # not written again


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2}', '{"version": 1, "text": 5, "source": ""}', "\0"]
)
def test_what_is_not_whole_is_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.json").write_text(text)
    (tmp_path / "policy.json").chmod(0o600)
    assert kept_policy(tmp_path / "policy.json") is None
    assert kept_policy(tmp_path / "none.json") is None


def test_a_disk_that_refuses_is_only_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keep_policy(tmp_path / "none" / "policy.json", SOURCE, "id: x\n")
    assert "not kept" in caplog.text

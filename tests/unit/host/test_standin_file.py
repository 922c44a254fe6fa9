"""What the stand-in knows: kept, read back, and nothing where it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.standin_file import NOTHING_KNOWN, StandInFacts, read_standin, write_standin


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "standin.json"
    write_standin(file, {"b.example", "*.a.example"}, "pac")
    assert read_standin(file) == StandInFacts(closed=frozenset({"b.example", "*.a.example"}), pac="pac")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 2, "closed": ["x"], "pac": ""}', '{"version": 1, "pac": 7}']
)
def test_what_cannot_be_read_is_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "standin.json"
    file.touch(mode=0o600)
    file.write_text(text)
    assert read_standin(file) == NOTHING_KNOWN
    assert read_standin(tmp_path / "none.json") == NOTHING_KNOWN


@pytest.mark.parametrize(
    ("host", "refused"),
    [("a.example", True), ("x.b.example", True), ("b.example", False), ("xa.example", False), ("", False)],
)
def test_names_and_suffixes_are_told_apart(host: str, refused: bool) -> None:
    facts = StandInFacts(closed=frozenset({"a.example", "*.b.example"}))
    assert facts.refuses(host) is refused

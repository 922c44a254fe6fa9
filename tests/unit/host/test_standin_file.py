"""What the stand-in knows: kept, read back, and nothing where it cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.standin_file import facts, read_standin, write_standin


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "standin.json"
    write_standin(file, {"b.example": True, "*.a.example": True, "x.a.example": False}, "pac")
    known = read_standin(file)
    assert known.pac == "pac"
    hosts = ("b.example", "y.a.example", "x.a.example", "c.example")
    assert [host for host in hosts if known.refuses(host)] == ["b.example", "y.a.example"]
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"version": 2, "hosts": {"x": true}, "pac": ""}',
        '{"version": 1, "hosts": {"x": true}, "pac": 7}',
    ],
)
def test_what_cannot_be_read_is_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "standin.json"
    file.touch(mode=0o600)
    file.write_text(text)
    for each in (file, tmp_path / "none.json"):
        known = read_standin(each)
        assert (known.pac, known.refuses("x"), known.refuses("a.example")) == ("", False, False)


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("a.example", True),
        ("x.b.example", True),
        ("b.example", False),
        ("xa.example", False),
        ("eu-c.x.example", True),
        ("", False),
    ],
)
def test_names_suffixes_and_templates_are_told_apart(host: str, refused: bool) -> None:
    known = facts({"a.example": True, "*.b.example": True, "{region}-c.x.example": True})
    assert known.refuses(host) is refused

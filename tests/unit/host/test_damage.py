"""What is damaged is told from what is out of reach, and is kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agent.host.damage import is_damage, set_aside


def error_of(path: Path, statement: str) -> sqlite3.Error:
    connection = sqlite3.connect(path, timeout=0)
    try:
        with pytest.raises(sqlite3.Error) as caught:
            connection.execute(statement)
        return caught.value
    finally:
        connection.close()


def test_a_file_that_is_no_database_is_damaged_and_one_that_is_locked_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("x" * 5000)
    assert is_damage(error_of(tmp_path / "a.db", "SELECT * FROM sqlite_schema"))
    holder = sqlite3.connect(tmp_path / "b.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert not is_damage(error_of(tmp_path / "b.db", "CREATE TABLE t (x)"))
    holder.close()
    assert not is_damage(None)
    assert not is_damage(OSError())


def test_it_is_kept_with_what_belongs_to_it(tmp_path: Path) -> None:
    for name in ("a.db", "a.db-wal"):
        (tmp_path / name).write_text(name)
    kept = set_aside(tmp_path / "a.db")
    assert {each.name for each in tmp_path.iterdir()} == {kept, f"{kept}-wal"}
    assert (tmp_path / kept).read_text() == "a.db"

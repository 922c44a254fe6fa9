"""What was seen of programs outlives the agent, in a file of its own that nobody else may read."""

from __future__ import annotations

import sqlite3
import stat
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.appearances import AppearanceFile
from agent.model.app import Evidence
from agent.model.appearance import Appearance
from agent.model.login import Login, LoginKind, Tenancy

CODEX = Appearance(
    app="codex",
    program="",
    surface="openai",
    user="ann",
    host="api.openai.com",
    first_seen=1000.5,
    last_seen=2000.25,
    requests=7,
    blocked=2,
    evidence=Evidence.SIGNED,
    accounts=(
        Login(kind=LoginKind.API_KEY),
        Login(kind=LoginKind.SUBSCRIPTION, tenancy=Tenancy.PERSONAL, plan="plus"),
    ),
)
CURL = Appearance(app="", program="curl", surface="openai", user="", host="h", first_seen=1, last_seen=3000)


@pytest.fixture
def file(tmp_path: Path) -> AppearanceFile:
    return AppearanceFile(tmp_path / "apps.db")


def test_what_was_written_is_read_the_newest_first(file: AppearanceFile) -> None:
    assert file.read() == ()
    file.write([CODEX, CURL])
    assert file.read() == (CURL, CODEX)


def test_a_row_takes_the_place_of_the_one_before(file: AppearanceFile) -> None:
    file.write([CODEX])
    later = replace(CODEX, last_seen=2500.0, requests=8)
    file.write([later])
    assert file.read() == (later,)


def test_what_is_gone_is_forgotten(file: AppearanceFile) -> None:
    file.write([CODEX, CURL])
    file.write([], [CURL])
    assert file.read() == (CODEX,)


@pytest.mark.skipif(sys.platform == "win32", reason="the directory's access list guards it there")
def test_nobody_else_may_read_it_nor_what_sqlite_puts_beside_it(file: AppearanceFile) -> None:
    file.write([CODEX])
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM appearance")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.path.parent.glob("apps.db*")}
    assert len(modes) > 1
    assert set(modes.values()) == {0o600}


def test_a_file_that_is_no_database_is_a_clear_error(file: AppearanceFile) -> None:
    file.path.write_bytes(b"no database at all" * 100)
    with pytest.raises(HostError, match="cannot read"):
        file.read()
    with pytest.raises(HostError, match="cannot write"):
        file.write([CODEX])


def test_an_account_of_another_version_is_left_out(file: AppearanceFile) -> None:
    file.write([CODEX])
    with closing(sqlite3.connect(file.path)) as connection:
        connection.execute('UPDATE appearance SET accounts = \'[["telepathy","",""],["api_key","","x"],3]\'')
        connection.commit()
    assert file.read()[0].accounts == (Login(kind=LoginKind.API_KEY, plan="x"),)

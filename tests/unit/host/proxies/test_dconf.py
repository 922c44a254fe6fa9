"""The machine's dconf database: files that are compiled, in folders of a test's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.earlier import Earlier
from agent.host.proxies.dconf import DconfDatabase
from agent.host.run import Completed
from tests.fakes.machine_settings import said

URL = "http://127.0.0.1:7717/proxy.pac"


class Machine:
    """A machine with dconf; compiling touches the database, as dconf does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.compiled = 0
        (root / "db" / "local.d").mkdir(parents=True)
        self.driver = DconfDatabase(root, self._run, installed=True, privileged=lambda: True)

    def _run(self, argv: Sequence[str]) -> Completed:
        assert argv == ["dconf", "update"]
        self.compiled += 1
        database = self.root / "db" / "local"
        database.touch()
        folder = self.root / "db" / "local.d"
        latest = max(each.stat().st_mtime_ns for each in (folder, *folder.iterdir()))
        os.utime(database, ns=(latest, latest))
        return said()

    def put(self, name: str, text: str) -> None:
        (self.root / "db" / "local.d" / name).write_text(text)


def test_both_files_are_made_and_removed(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    driver = machine.driver
    assert len(driver.scopes()) == 2
    for scope in driver.scopes():
        assert driver.read(scope) is None
        driver.write(scope, driver.ours(scope, URL))
    assert f"autoconfig-url='{URL}'" in (tmp_path / "db/local.d/50-drawbridge").read_text()
    assert "system-db:local" in (tmp_path / "profile/user").read_text()
    for scope in driver.scopes():
        driver.write(scope, None)
    assert [each for each in tmp_path.rglob("*") if each.is_file() and each.name != "local"] == []
    assert machine.compiled >= 4


def test_a_profile_of_the_administrators_stays(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "profile").mkdir()
    (tmp_path / "profile" / "user").write_text("user-db:user\nsystem-db:local\nsystem-db:site\n")
    assert machine.driver.scopes() == (str(tmp_path / "db/local.d/50-drawbridge"),)
    (tmp_path / "profile" / "user").write_text("user-db:user\n")
    with pytest.raises(HostError, match="does not read"):
        machine.driver.scopes()


def test_what_was_not_compiled_is_compiled_first(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.put("50-drawbridge", machine.driver.ours(str(tmp_path / "db/local.d/50-drawbridge"), URL))
    machine.driver.read(str(tmp_path / "db/local.d/50-drawbridge"))
    assert machine.compiled == 1
    machine.driver.read(str(tmp_path / "db/local.d/50-drawbridge"))
    assert machine.compiled == 1


def test_what_was_there_before(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert machine.driver.earlier({}) == Earlier()
    machine.put("00-site", "[system/proxy]\nmode='auto'\nautoconfig-url='http://corp/p.pac'\n")
    assert machine.driver.earlier({}) == Earlier(pac_url="http://corp/p.pac")
    machine.put(
        "10-more",
        "[system/proxy]\nmode='manual'\nignore-hosts=['a', '.b']\n[system/proxy/https]\nhost='p'\nport=3128\n",
    )
    assert machine.driver.earlier({}) == Earlier(https="p:3128", exceptions=("a", ".b"))
    machine.put("20-broken", "[system/proxy\nmode")
    assert machine.driver.earlier({}).https == "p:3128"

"""Our root in the stores of a machine, by the commands an administrator types. The machine is a directory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from agent.host.authority import Authority
from agent.host.paths import StatePaths
from agent.host.trust.stores import Machine
from tests.fakes.command_line import Drawbridge
from tests.fakes.stores import LinuxRoots, debian

HOSTS = frozenset({"api.openai.com"})


class House:
    """A machine with an agent that has an authority."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.base = base
        self.machine, self.roots = debian(base / "machine")
        self._monkeypatch = monkeypatch
        self.run_by(privileged=True)
        self.paths = StatePaths.under(base / "state")
        self.paths.prepare()
        self.authority = Authority.open(self.paths, HOSTS)

    def run_by(self, *, privileged: bool) -> None:
        """Who types the commands."""
        self.machine = replace(self.machine, privileged=privileged)
        machine = self.machine
        self._monkeypatch.setattr(Machine, "this", classmethod(lambda _: machine))

    @property
    def files(self) -> set[str]:
        """Every file of the machine."""
        return {str(each) for each in self.machine.base.rglob("*")}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return House(tmp_path, monkeypatch)


def trusted(roots: LinuxRoots) -> int:
    """How many roots beside the system's own."""
    return len(roots.certificates()) - 1


def test_a_root_goes_in_and_everything_is_as_it_was_afterwards(drawbridge: Drawbridge, house: House) -> None:
    before = house.files
    done = drawbridge("ca", "install")
    assert done.exit_code == 0, done.output
    assert house.authority.fingerprint in done.stdout
    assert trusted(house.roots) == 1
    assert (house.machine.public / "roots.pem").read_bytes() == house.authority.root_pem
    assert "as it was" in drawbridge("ca", "install").stdout
    assert drawbridge("ca", "uninstall").exit_code == 0
    assert trusted(house.roots) == 0
    assert house.files - before <= {str(house.machine.base / "etc")}
    assert "nothing was installed" in drawbridge("ca", "uninstall").stdout


def test_files_that_were_made_without_the_root_are_rebuilt(drawbridge: Drawbridge, house: House) -> None:
    drawbridge("ca", "install")
    made, house.roots.made = house.roots.made, house.roots.made[:1]
    assert "rebuilt" in drawbridge("ca", "install").stdout
    assert house.roots.made == made


def test_a_dry_run_changes_nothing(drawbridge: Drawbridge, house: House) -> None:
    before = house.files
    told = drawbridge("ca", "install", "--dry-run").stdout
    assert "would change linux-anchors" in told
    assert house.files == before
    drawbridge("ca", "install")
    between = house.files
    assert "would undo linux-anchors" in drawbridge("ca", "uninstall", "--dry-run").stdout
    assert house.files == between


def test_an_installation_does_nothing_where_the_setting_says_so(
    drawbridge: Drawbridge, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "manage_trust is none" in drawbridge("ca", "install", "--if-managed").stdout
    assert trusted(house.roots) == 0
    monkeypatch.setenv("DRAWBRIDGE_MANAGE_TRUST", "os")
    assert drawbridge("ca", "install", "--if-managed").exit_code == 0
    assert trusted(house.roots) == 1


def test_the_status_says_what_is_missing_by_its_words_and_exit_status(
    drawbridge: Drawbridge, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = drawbridge("ca", "status", "--json")
    facts = json.loads(shown.stdout)
    assert shown.exit_code == 1
    assert facts["complete"] is False
    states = {row["name"].partition(" ")[0]: row["state"] for row in facts["rows"]}
    assert states["system"] == "missing"
    assert states["Firefox,"] == "not there"
    drawbridge("ca", "install")
    monkeypatch.setenv("SSL_CERT_FILE", str(house.machine.public / "bundle.pem"))
    after = drawbridge("ca", "status", "--json")
    assert after.exit_code == 0, after.stdout
    rows = {row["name"]: row["state"] for row in json.loads(after.stdout)["rows"]}
    assert rows["OpenSSL's default (Python)"] == "trusted"
    assert "trusted" in drawbridge("ca", "status").stdout


def test_a_user_may_not_read_the_agents_files_and_uses_those_for_everybody(
    drawbridge: Drawbridge, house: House, tmp_path: Path
) -> None:
    drawbridge("ca", "install")
    house.run_by(privileged=False)
    other = tmp_path / "users-own-state"
    shown = drawbridge("ca", "status", "--state-dir", other, "--json")
    assert json.loads(shown.stdout)["roots"][0]["sha256"] == house.authority.fingerprint


def test_a_store_that_refuses_is_told_with_exit_status_1(drawbridge: Drawbridge, house: House) -> None:
    house.roots.broken = True
    done = drawbridge("ca", "install")
    assert done.exit_code == 1
    assert "not rebuilt" in done.stderr
    house.roots.broken = False
    assert drawbridge("ca", "uninstall").exit_code == 0
    assert trusted(house.roots) == 0


def test_a_device_without_an_authority_is_told_how_to_get_one(
    drawbridge: Drawbridge, house: House, tmp_path: Path
) -> None:
    for command in ("install", "status"):
        done = drawbridge("ca", command, "--state-dir", tmp_path / "empty")
        assert done.exit_code == 1
        assert "drawbridge up" in done.stderr

"""The RPM package. Its scripts are told how many versions there are, or will be, where Debian's are told a word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.installers.conftest import ROOT, Machine, Pack, built, needs

SPEC = (ROOT / "installers" / "linux" / "rpm" / "drawbridge.spec").read_text()
SERVICE = "drawbridge.service"


@pytest.fixture(scope="module")
def package(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("rpmbuild", "rpm")
    return built(pack, tmp_path_factory.mktemp("rpm"), "rpm")


def scriptlet(name: str) -> str:
    """The text of a section of the spec."""
    return SPEC.partition(f"\n%{name}\n")[2].partition("\n%")[0]


def queried(package: Path, layout: str) -> list[str]:
    done = subprocess.run(
        ["rpm", "-qp", "--queryformat", layout, package],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.splitlines()


def test_everything_is_roots_and_only_our_directories_are_ours(package: Path) -> None:
    rows = [
        row.split("|")
        for row in queried(package, "[%{FILENAMES}|%{FILEUSERNAME}|%{FILEMODES:perms}|%{FILEFLAGS:fflags}\n]")
    ]
    assert {row[1] for row in rows} == {"root"}
    files = {row[0]: row[2] for row in rows}
    assert files["/usr/lib/drawbridge/drawbridge"] == "-rwxr-xr-x"
    assert files["/usr/lib/drawbridge/lib/agent/catalog/rows & more.toml"] == "-rw-r--r--"
    assert files["/usr/lib/drawbridge"].startswith("d")
    assert not {"/usr", "/usr/bin", "/etc", "/usr/lib/systemd/system"} & set(files)
    flags = {row[0]: row[3] for row in rows}
    assert flags["/etc/drawbridge/config.toml"] == "cn"  # config(noreplace)


def test_its_scriptlets_are_those_of_the_source(package: Path) -> None:
    for tag, section in (("POSTIN", "post"), ("PREUN", "preun"), ("POSTUN", "postun")):
        told = "\n".join(queried(package, f"%{{{tag}}}"))
        assert told.strip() == scriptlet(section).strip()


def test_it_is_built_alike_every_time(package: Path, pack: Pack, tmp_path: Path) -> None:
    assert built(pack, tmp_path, "rpm").read_bytes() == package.read_bytes()


def test_a_first_installation_enables_and_starts(machine: Machine) -> None:
    calls = machine.run(scriptlet("post"), "1")
    assert calls[0] == "systemd-sysusers /usr/lib/sysusers.d/drawbridge.conf"
    assert calls[-1] == f"systemctl start drawbridge-setup.path {SERVICE}"


def test_an_upgrade_has_the_running_supervisor_give_way_and_stops_nothing(machine: Machine) -> None:
    # the order of rpm: the new version's post, then the old one's preun and postun
    calls = machine.run(scriptlet("post"), "2")
    calls += machine.run(scriptlet("preun"), "1") + machine.run(scriptlet("postun"), "1")
    assert f"systemctl kill --kill-who=main --signal=USR2 {SERVICE}" in calls
    assert not any(
        word in call.split() for call in calls for word in ("stop", "restart", "disable", "restore")
    )


def test_a_removal_stops_first_and_then_puts_everything_back(machine: Machine) -> None:
    calls = machine.run(scriptlet("preun"), "0") + machine.run(scriptlet("postun"), "0")
    stopped = calls.index(f"systemctl stop {SERVICE} drawbridge-setup.path")
    assert stopped < calls.index("drawbridge restore") < calls.index("drawbridge ca uninstall")

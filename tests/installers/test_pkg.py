"""The macOS package: its structure, and what its scripts do. Only a Mac makes one that installs."""

from __future__ import annotations

import gzip
import plistlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.installers.conftest import ROOT, Machine, Pack, built, needs

FILES = ROOT / "installers" / "macos"
HOME = "Library/Application Support/Drawbridge"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="on a Mac Apple's tools make the package")


@pytest.fixture(scope="module")
def package(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("bsdtar", "libarchive-tools")
    needs("cpio", "cpio")
    return built(pack, tmp_path_factory.mktemp("pkg"), "pkg")


def member(package: Path, name: str) -> bytes:
    return subprocess.run(
        ["bsdtar", "-xOf", package, name], capture_output=True, check=True, timeout=30
    ).stdout


def listed(archive: bytes) -> dict[str, str]:
    """Mode and owner of each file of a cpio archive, by name."""
    done = subprocess.run(
        ["cpio", "-itvn", "--quiet"],
        input=gzip.decompress(archive),
        capture_output=True,
        check=True,
        timeout=30,
    )
    rows = (line.split(maxsplit=8) for line in done.stdout.decode().splitlines())
    return {row[8]: f"{row[0]} {row[2]} {row[3]}" for row in rows}


def test_it_has_the_parts_of_a_flat_package(package: Path) -> None:
    names = subprocess.run(
        ["bsdtar", "-tf", package], capture_output=True, text=True, check=True
    ).stdout.split()
    for part in ("Distribution", "agent.pkg/PackageInfo", "agent.pkg/Payload", "agent.pkg/Scripts"):
        assert part in names
    assert "command.pkg/Payload" in names
    assert "structure-only" in package.name  # no bill of files: no Mac takes it for a package to install


def test_everything_is_roots_at_its_place(package: Path) -> None:
    files = listed(member(package, "agent.pkg/Payload"))
    assert {told.split(maxsplit=1)[1] for told in files.values()} == {"0 0"}
    assert files[f"{HOME}/program/drawbridge"].startswith("-rwxr-xr-x")
    assert files["Library/LaunchDaemons/com.drawbridge.agent.plist"].startswith("-rw-r--r--")
    assert set(listed(member(package, "agent.pkg/Scripts"))) == {".", "preinstall", "postinstall"}


def test_the_choices_name_the_components(package: Path) -> None:
    distribution = ElementTree.fromstring(member(package, "Distribution"))
    lines = [line.get("choice") for line in distribution.iter("line")]
    choices = {choice.get("id"): choice for choice in distribution.iter("choice")}
    assert set(lines) == set(choices)
    assert choices["agent"].get("enabled") == "false"  # it cannot be left out
    referred = {ref.get("id") for choice in choices.values() for ref in choice.iter("pkg-ref")}
    sources = {ref.get("id"): ref.text for ref in distribution.findall("pkg-ref")}
    assert referred == set(sources)
    for identifier, source in sources.items():
        assert source is not None
        info = ElementTree.fromstring(member(package, f"{source.removeprefix('#')}/PackageInfo"))
        assert info.get("identifier") == identifier


def test_the_daemon_starts_what_the_package_lays_down() -> None:
    daemon = plistlib.loads((FILES / "com.drawbridge.agent.plist").read_bytes())
    assert daemon["ProgramArguments"] == [f"/{HOME}/program/drawbridge", "supervise"]
    assert daemon["KeepAlive"] == {"SuccessfulExit": False}
    assert daemon["Umask"] == 0o077


def script(name: str, tmp_path: Path) -> str:
    """With the machine's places below `tmp_path`."""
    text = (FILES / name).read_text()
    for place in ("/Library/", "/usr/local/", "/etc/newsyslog.d"):
        text = text.replace(place, f"{tmp_path}{place}")
    return text.replace('"$(id -u)"', "0")


def test_an_upgrade_has_the_running_supervisor_give_way(machine: Machine, tmp_path: Path) -> None:
    program = tmp_path / HOME / "program"
    program.mkdir(parents=True)
    machine.run(script("scripts/preinstall", tmp_path))
    assert not program.exists()
    machine.answers("launchctl", 0, "state = running")
    calls = machine.run(script("scripts/postinstall", tmp_path))
    assert "launchctl kill SIGUSR2 system/com.drawbridge.agent" in calls
    assert not any("boot" in call for call in calls)


def test_a_first_installation_starts_the_daemon(machine: Machine, tmp_path: Path) -> None:
    calls = machine.run(script("scripts/postinstall", tmp_path))
    assert any(call.startswith("launchctl bootstrap system") for call in calls)


@pytest.mark.parametrize("purge", [True, False])
def test_a_removal_stops_first_and_then_puts_everything_back(
    machine: Machine, tmp_path: Path, purge: bool
) -> None:
    program = tmp_path / HOME / "program" / "drawbridge"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {tmp_path}/machine/bin/drawbridge "$@"\n')
    program.chmod(0o755)
    calls = machine.run(script("uninstall.sh", tmp_path), *(["--purge"] if purge else []))
    assert calls[:3] == [
        "launchctl bootout system/com.drawbridge.agent",
        "drawbridge restore",
        "drawbridge ca uninstall",
    ]
    state_goes = f"rm -rf {tmp_path}/{HOME} {tmp_path}/Library/Logs/Drawbridge"
    assert (state_goes in calls) is purge


def test_the_scripts_are_sound_shell() -> None:
    for path in (*FILES.rglob("*.sh"), *(FILES / "scripts").iterdir()):
        subprocess.run(["/bin/sh", "-n", path], check=True, timeout=10)

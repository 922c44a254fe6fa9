"""The Debian package: what it lays down, what its scripts do, and that it is built alike every time."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.installers.conftest import ROOT, Machine, Pack, built, needs

SCRIPTS = ROOT / "installers" / "linux" / "deb"
SERVICE = "drawbridge.service"
TELL = f"systemctl kill --kill-who=main --signal=USR2 {SERVICE}"


@pytest.fixture(scope="module")
def package(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("dpkg-deb", "dpkg")
    return built(pack, tmp_path_factory.mktemp("deb"), "deb")


def asked(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout


def script(name: str) -> str:
    return (SCRIPTS / name).read_text()


def test_everything_is_roots_and_nobody_else_writes_it(package: Path) -> None:
    lines = [line.split(maxsplit=5) for line in asked("dpkg-deb", "-c", package).splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    modes = {line[5]: line[0] for line in lines}
    assert all(mode.startswith("l") or mode[5] == mode[8] == "-" for mode in modes.values())
    assert modes["./usr/lib/drawbridge/drawbridge"] == "-rwxr-xr-x"
    assert modes["./usr/lib/drawbridge/lib/libc++.so.1"] == "-rw-r--r--"
    assert modes["./usr/lib/drawbridge/lib/agent/catalog/rows & more.toml"] == "-rw-r--r--"
    assert "./usr/bin/drawbridge -> ../lib/drawbridge/drawbridge" in modes
    assert "./usr/lib/drawbridge/lib/libc++.so -> libc++.so.1" in modes
    for unit in (SERVICE, "drawbridge-setup.path", "drawbridge-setup.service", "drawbridge-restore.service"):
        assert f"./usr/lib/systemd/system/{unit}" in modes


def test_it_says_what_it_needs(package: Path) -> None:
    assert asked("dpkg-deb", "-f", package, "Depends").startswith("libc6 (>= 2.28), systemd")


def test_the_settings_of_the_machine_are_the_administrators(package: Path, tmp_path: Path) -> None:
    asked("dpkg-deb", "-R", package, tmp_path / "all")
    control = tmp_path / "all" / "DEBIAN"
    assert (control / "conffiles").read_text().split() == [
        "/etc/drawbridge/config.toml",
        "/etc/xdg/autostart/drawbridge-tray.desktop",
    ]
    sums = dict(line.split("  ")[::-1] for line in (control / "md5sums").read_text().splitlines())
    assert "etc/drawbridge/config.toml" not in sums
    for name, told in sums.items():
        assert hashlib.md5((tmp_path / "all" / name).read_bytes()).hexdigest() == told
    assert all((control / name).stat().st_mode & 0o777 == 0o755 for name in ("postinst", "prerm", "postrm"))


def test_it_is_built_alike_every_time(package: Path, pack: Pack, tmp_path: Path) -> None:
    assert built(pack, tmp_path, "deb").read_bytes() == package.read_bytes()


def test_a_first_installation_makes_the_user_and_starts_the_service(machine: Machine) -> None:
    calls = machine.run(script("postinst"), "configure", "")
    machine.answers("systemctl", 3)  # it is not active
    calls = machine.run(script("postinst"), "configure", "")
    assert calls[0] == "systemd-sysusers /usr/lib/sysusers.d/drawbridge.conf"
    assert f"deb-systemd-helper enable {SERVICE}" in calls
    assert calls[-1] == f"deb-systemd-invoke start drawbridge-setup.path {SERVICE}"


def test_an_upgrade_has_the_running_supervisor_give_way_and_stops_nothing(machine: Machine) -> None:
    calls = machine.run(script("prerm"), "upgrade", "0.2.0")
    calls += machine.run(script("postrm"), "upgrade", "0.2.0")
    calls += machine.run(script("postinst"), "configure", "0.1.0")
    assert TELL in calls
    assert not any(
        word in call.split() for call in calls for word in ("stop", "restart", "restore", "userdel")
    )


def test_an_upgrade_does_not_start_what_somebody_has_stopped(machine: Machine) -> None:
    machine.answers("systemctl", 3)
    calls = machine.run(script("postinst"), "configure", "0.1.0")
    assert not any("start" in call or "kill" in call for call in calls)


def test_a_removal_stops_first_and_then_puts_everything_back(machine: Machine) -> None:
    calls = machine.run(script("prerm"), "remove")
    assert calls == [
        f"deb-systemd-invoke stop {SERVICE} drawbridge-setup.path",
        "drawbridge restore",
        "drawbridge ca uninstall",
    ]


def test_what_cannot_be_put_back_does_not_keep_it_from_being_removed(machine: Machine) -> None:
    machine.answers("drawbridge", 1)
    assert "drawbridge ca uninstall" in machine.run(script("prerm"), "remove")


def test_only_a_purge_takes_keys_and_audit_trail(machine: Machine) -> None:
    kept = machine.run(script("postrm"), "remove")
    assert not any(call.startswith(("rm ", "userdel")) for call in kept)
    gone = machine.run(script("postrm"), "purge")
    assert "rm -rf /var/lib/drawbridge /var/lib/drawbridge-setup" in gone
    assert "userdel drawbridge" in gone

"""The units of systemd: sound, confined as promised, and started from where the package puts the program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from agent.host.managed_linux import JsonFile
from agent.host.settings import load_settings
from tests.installers.conftest import ROOT, needs

UNITS = ROOT / "installers" / "linux"
OURS = sorted(path for path in UNITS.glob("drawbridge*.*") if path.suffix in (".service", ".path"))
CONFINED = 2.0  # the most that systemd-analyze may count for the agent's service


def directives(unit: Path, name: str) -> list[str]:
    return [line.partition("=")[2] for line in unit.read_text().splitlines() if line.startswith(f"{name}=")]


def agents() -> list[Path]:
    return [path for path in OURS if "gateway" not in path.name]


@pytest.mark.parametrize("unit", agents(), ids=lambda path: path.name)
def test_units_start_the_installed_program_and_name_units_that_exist(unit: Path) -> None:
    for name in ("ExecStart", "ExecStopPost"):
        for command in directives(unit, name):
            assert command.lstrip("+-").startswith("/usr/lib/drawbridge/drawbridge ")
    ours = {path.name for path in OURS}
    for name in ("Wants", "After", "Before", "Unit"):
        for other in " ".join(directives(unit, name)).split():
            assert other in ours or not other.startswith("drawbridge")


def test_what_the_service_asks_for_is_what_root_looks_at() -> None:
    (file,) = directives(UNITS / "drawbridge-setup.path", "PathExists")
    (command,) = directives(UNITS / "drawbridge-setup.service", "ExecStart")
    assert command.endswith(f" setup --requested {file}")


def test_however_it_ends_settings_are_put_back_by_root() -> None:
    (command,) = directives(UNITS / "drawbridge.service", "ExecStopPost")
    assert command.startswith("+-/usr/lib/drawbridge/drawbridge restore ")


def test_systemd_finds_nothing_to_say(tmp_path: Path) -> None:
    needs("systemd-analyze", "systemd")
    for unit in agents():
        text = unit.read_text().replace("/usr/lib/drawbridge/drawbridge", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "drawbridge" in line]
    assert (done.returncode, said) == (0, [])


def test_the_agent_is_confined() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", UNITS / "drawbridge.service"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "Overall" not in done.stdout:
        pytest.skip(f"this systemd does not judge a unit that is not loaded: {done.stderr.strip()}")
    score = float(done.stdout.rpartition("service: ")[2].split()[0])
    assert score <= CONFINED, done.stdout


def test_the_settings_that_are_installed_are_valid(tmp_path: Path) -> None:
    settings = load_settings(
        command_line={},
        environ={},
        managed=JsonFile(tmp_path / "none"),
        config_file=UNITS / "config.toml",
        default_state_dir=tmp_path,
    )
    assert settings.policy is None

"""Where things lie, by platform, privilege and kind of installation."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from agent.errors import HostError
from agent.host.paths import (
    StatePaths,
    bundled_policies,
    config_file,
    restrict_windows_directory,
    state_directory,
)
from agent.host.run import Completed
from tests.fakes.host import FakeRunner


def test_every_path_lies_below_the_root() -> None:
    paths = StatePaths.under(Path("/state"))
    names = [getattr(paths, field.name) for field in dataclasses.fields(paths)]
    assert all(path.is_relative_to("/state") for path in names)
    assert len(set(names)) == len(names)


def test_a_relative_state_directory_is_refused() -> None:
    with pytest.raises(HostError, match="relative"):
        StatePaths.under(Path("state"))


def test_prepare_makes_private_directories_and_accepts_its_own_work(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "deep" / "state")
    paths.prepare()
    paths.prepare()
    for directory in (paths.root, paths.ca, paths.audit, paths.run, paths.logs):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_prepare_refuses_a_planted_link_inside_the_state_directory(tmp_path: Path) -> None:
    paths = StatePaths.under(tmp_path / "state")
    paths.root.mkdir(mode=0o700)
    paths.ca.symlink_to(tmp_path)
    with pytest.raises(HostError, match="symbolic link"):
        paths.prepare()


@pytest.mark.parametrize(
    ("platform", "state", "config"),
    [
        ("linux", "/var/lib/drawbridge", "/etc/drawbridge/config.toml"),
        (
            "darwin",
            "/Library/Application Support/Drawbridge/state",
            "/Library/Application Support/Drawbridge/config.toml",
        ),
        ("win32", "/data/Drawbridge", "/data/Drawbridge/config.toml"),
    ],
)
def test_a_privileged_run_uses_the_machines_directories(platform: str, state: str, config: str) -> None:
    environ = {"PROGRAMDATA": "/data"}
    assert state_directory(platform=platform, privileged=True, environ=environ) == Path(state)
    assert config_file(platform=platform, privileged=True, environ=environ) == Path(config)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_an_unprivileged_run_stays_in_the_users_home(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for path in (
        state_directory(platform=platform, privileged=False, environ={}),
        config_file(platform=platform, privileged=False, environ={}),
    ):
        assert path.is_relative_to("/home/somebody")
        assert "drawbridge" in str(path).lower()


def test_a_systemd_unit_uses_the_directory_it_was_given() -> None:
    given = {"STATE_DIRECTORY": "/var/lib/other:/var/lib/private/drawbridge"}
    assert state_directory(platform="linux", privileged=False, environ=given) == Path(
        "/var/lib/private/drawbridge"
    )


def test_another_units_state_directory_is_not_ours() -> None:
    given = {"STATE_DIRECTORY": "/var/lib/other"}
    assert state_directory(platform="linux", privileged=True, environ=given) == Path("/var/lib/drawbridge")


def test_policies_of_a_source_tree_lie_beside_the_package(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    assert bundled_policies(package=tmp_path / "agent") == tmp_path / "policies"


def test_policies_of_a_wheel_lie_inside_the_package_and_win(tmp_path: Path) -> None:
    (tmp_path / "agent" / "_policies").mkdir(parents=True)
    (tmp_path / "policies").mkdir()  # site-packages may hold a stranger of that name
    assert bundled_policies(package=tmp_path / "agent") == tmp_path / "agent" / "_policies"


@pytest.mark.parametrize("place", ["policies", "agent/_policies"])
def test_policies_of_a_frozen_program_lie_in_its_own_root(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frozen" / place).mkdir(parents=True)
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path / "frozen"), raising=False)
    assert bundled_policies(package=tmp_path / "agent") == tmp_path / "frozen" / place


def test_missing_policies_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="bundled policies are missing"):
        bundled_policies(package=tmp_path / "agent")


def test_the_real_source_tree_has_policies() -> None:
    assert bundled_policies() == Path(__file__).resolve().parents[3] / "policies"


def test_a_windows_state_directory_is_left_to_system_and_administrators() -> None:
    done = Completed(code=0, stdout=b"", stderr=b"")
    runner = FakeRunner({"/setowner": done, "/inheritance:r": done})
    restrict_windows_directory(Path("C:/ProgramData/Drawbridge"), runner=runner)
    (_, _, *owner), (program, _, *rest) = runner.asked
    assert owner[:2] == ["/setowner", "*S-1-5-32-544"]
    assert os.path.basename(program) == "icacls.exe"
    assert [part for part in rest if part.startswith("*")] == [
        "*S-1-5-18:(OI)(CI)F",
        "*S-1-5-32-544:(OI)(CI)F",
    ]


@pytest.mark.parametrize("granted", ["/setowner", "/inheritance:r"])
def test_a_windows_directory_that_cannot_be_restricted_is_an_error(granted: str) -> None:
    runner = FakeRunner({granted: Completed(code=0, stdout=b"", stderr=b"")})
    with pytest.raises(HostError, match="cannot restrict"):
        restrict_windows_directory(Path("C:/ProgramData/Drawbridge"), runner=runner)


def test_a_service_of_systemd_reads_the_machines_configuration() -> None:
    environ = {"CONFIGURATION_DIRECTORY": "/etc/drawbridge"}
    assert config_file(platform="linux", privileged=False, environ=environ) == Path(
        "/etc/drawbridge/config.toml"
    )
    for environ in ({"CONFIGURATION_DIRECTORY": "/etc/another"}, {}):
        assert config_file(platform="linux", privileged=False, environ=environ).is_relative_to(Path.home())

"""The Windows package, read back: what wixl is known to get wrong would only show on machines, and years later."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.installers.conftest import Pack, built, needs

type Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def package(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs("wixl", "wixl")
    needs("msiinfo", "msitools")
    return built(pack, tmp_path_factory.mktemp("msi"), "msi")


def table(package: Path, name: str) -> Rows:
    done = subprocess.run(
        ["msiinfo", "export", package, name], capture_output=True, text=True, check=True, timeout=30
    )
    lines = done.stdout.splitlines()
    return [dict(zip(lines[0].split("\t"), line.split("\t"), strict=False)) for line in lines[3:]]


def test_the_service_starts_with_the_machine_and_as_the_system(package: Path) -> None:
    (service,) = table(package, "ServiceInstall")
    told = {key: service[key] for key in ("Name", "ServiceType", "StartType", "Arguments", "StartName")}
    assert told == {
        "Name": "drawbridge",
        "ServiceType": "16",  # a process of its own
        "StartType": "2",  # automatic
        "Arguments": "service",
        "StartName": "",  # LocalSystem
    }


def test_it_is_started_at_the_installation_and_stopped_before_files_change(package: Path) -> None:
    (control,) = table(package, "ServiceControl")
    event = int(control["Event"])
    install_start, install_stop, uninstall_stop, uninstall_delete = 0x1, 0x2, 0x20, 0x80
    assert event == install_start | install_stop | uninstall_stop | uninstall_delete


def test_deferred_actions_run_inside_the_installation_and_only_at_a_real_removal(package: Path) -> None:
    sequence = {row["Action"]: row for row in table(package, "InstallExecuteSequence")}
    number = {name: int(row["Sequence"]) for name, row in sequence.items()}
    actions = {row["Action"]: row for row in table(package, "CustomAction")}
    assert actions["RestoreSettings"]["Target"] == "restore"
    assert actions["RemoveTrust"]["Target"] == "ca uninstall"
    for name, row in actions.items():
        assert number["InstallInitialize"] < number[name] < number["RemoveFiles"] < number["InstallFinalize"]
        assert number["StopServices"] < number[name]
        assert sequence[name]["Condition"] == 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE'
        deferred, system = 0x400, 0x800
        assert int(row["Type"]) & (deferred | system) == deferred | system


def test_an_older_version_is_found_and_a_newer_one_is_respected(package: Path) -> None:
    found = {row["ActionProperty"]: row for row in table(package, "Upgrade")}
    assert found["WIX_UPGRADE_DETECTED"]["VersionMax"] == found["WIX_DOWNGRADE_DETECTED"]["VersionMin"]
    secure = {row["Property"]: row["Value"] for row in table(package, "Property")}["SecureCustomProperties"]
    assert set(secure.split(";")) == {"WIX_UPGRADE_DETECTED", "WIX_DOWNGRADE_DETECTED"}


def test_where_it_is_stands_in_the_registry_and_nothing_is_written_where_device_management_writes(
    package: Path,
) -> None:
    rows = {(row["Key"], row["Name"]): row["Value"] for row in table(package, "Registry")}
    assert rows["SOFTWARE\\Drawbridge", "InstallDir"] == "[INSTALLDIR]"
    assert not any(key.startswith("SOFTWARE\\Policies") for key, _ in rows)


def test_every_file_is_a_component_whose_name_never_changes(
    package: Path, pack: Pack, tmp_path: Path
) -> None:
    files = table(package, "File")
    assert len(files) == len({row["Component_"] for row in files})
    # 256: a component of 64 bits
    assert {row["Attributes"] for row in table(package, "Component")} == {"256"}
    again = built(pack, tmp_path, "msi")
    assert table(again, "Component") == table(package, "Component")
    assert table(again, "Property") == table(package, "Property")

"""The samples for device management are what the program prints today, and the health scripts do what they say."""

from __future__ import annotations

import os
import plistlib
import subprocess
import xml.etree.ElementTree as ET
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "installers" / "mdm"
WORDS = {
    0: "ok",
    1: "not running",
    10: "degraded",
    20: "off by policy",
    30: "not trusted",
    40: "stale policy",
    77: "unknown",
}


def builder() -> ModuleType:
    """build/mdm.py, which is in no package."""
    spec = spec_from_file_location("build_mdm", ROOT / "build" / "mdm.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MDM = builder()


@pytest.mark.parametrize("name", MDM.SAMPLES)
def test_samples_are_what_the_command_prints(name: str) -> None:
    assert (FOLDER / name).read_bytes() == MDM.printed(*MDM.SAMPLES[name]), "run `make schema`"


def test_no_sample_is_of_nothing() -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith("health/")} == set(MDM.SAMPLES)


def test_the_table_in_the_docs_is_current() -> None:
    text = (ROOT / "docs" / "mdm.md").read_text(encoding="utf-8")
    assert text == MDM.page(text), "run `make schema`"


def test_samples_are_well_formed() -> None:
    assert plistlib.loads((FOLDER / "drawbridge.mobileconfig").read_bytes())["PayloadType"] == "Configuration"
    for name in ("drawbridge.admx", "en-US/drawbridge.adml"):
        ET.parse(FOLDER / name)
    sample = yaml.safe_load((FOLDER / "fleet.yml").read_text())
    for script in sample["controls"]["scripts"]:
        assert (FOLDER / "health" / Path(script["path"]).name).is_file()


def run(script: str, folder: Path, code: int | None) -> subprocess.CompletedProcess[str]:
    """Run a health script where `drawbridge` ends with a code, or is not installed."""
    if code is not None:
        program = folder / "drawbridge"
        program.write_text(f'#!/bin/sh\n[ "$*" = "status --json --exit-code" ] || exit 99\nexit {code}\n')
        program.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", FOLDER / "health" / script],
        env={**os.environ, "PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=20,
    )


@pytest.mark.parametrize("code", WORDS)
def test_jamf_is_told_one_word(tmp_path: Path, code: int) -> None:
    done = run("jamf-extension-attribute.sh", tmp_path, code)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"<result>{WORDS[code]}</result>\n", "")


@pytest.mark.parametrize("code", WORDS)
def test_fleet_is_told_by_the_exit_status(tmp_path: Path, code: int) -> None:
    done = run("fleet-health.sh", tmp_path, code)
    assert done.returncode == (0 if code == 20 else code)
    assert "Drawbridge" in done.stdout or code == 77


def test_a_machine_without_it_is_told_apart(tmp_path: Path) -> None:
    assert run("jamf-extension-attribute.sh", tmp_path, None).stdout == "<result>not installed</result>\n"
    assert run("fleet-health.sh", tmp_path, None).returncode == 1


@pytest.mark.parametrize("name", ["intune-detect.ps1", "intune-remediate.ps1"])
def test_scripts_for_intune_know_every_status(name: str) -> None:
    text = (FOLDER / "health" / name).read_text()
    assert text.isascii(), "PowerShell 5.1 reads files without a mark as ANSI"
    assert "status --json --exit-code" in text
    if name == "intune-detect.ps1":
        assert all(f"{code} = '{word}'" in text for code, word in WORDS.items() if code != 77)

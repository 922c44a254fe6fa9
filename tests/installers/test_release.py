"""What goes with the packages: the bill of materials, checksums, signatures, and a clear word about what is missing."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.installers.conftest import ROOT, Pack, needs


def test_the_bill_names_every_library_of_the_lock(pack: Pack, tmp_path: Path) -> None:
    needs("dpkg-deb", "dpkg")
    assert pack("deb", out=tmp_path).returncode == 0
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    components = {each["name"]: each for each in bill["components"]}
    pinned = {
        line.partition("==")[0]
        for line in (ROOT / "requirements" / "run.txt").read_text().splitlines()
        if "==" in line and not line.startswith(" ")
    }
    assert pinned <= set(components)
    assert {"cpython", "openssl", "sqlite"} <= set(components)
    assert components["mitmproxy"]["purl"].startswith("pkg:pypi/mitmproxy@12.")
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(set(references)) == len(references)
    assert bill["dependencies"][0]["dependsOn"] == sorted(references)
    sums = dict(line.split("  ")[::-1] for line in (tmp_path / "SHA256SUMS").read_text().splitlines())
    assert {name for name in sums if name.endswith((".deb", ".json"))} == set(sums)
    for name, told in sums.items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == told


def test_what_is_missing_is_named_with_the_way_to_get_it(pack: Pack, tmp_path: Path) -> None:
    nothing = {"PATH": str(tmp_path)}
    done = pack("deb", "rpm", "msi", out=tmp_path / "out", environ=nothing)
    assert done.returncode == 1
    for line in ("no deb: dpkg-deb", "no rpm: rpmbuild", "no msi: wixl"):
        assert line in done.stderr
    assert "apt-get install rpm" in done.stderr
    done = pack("deb", "rpm", out=tmp_path / "out", environ=nothing, options=("--what-can-be-made",))
    assert done.returncode == 0
    done = pack("deb", "rpm", out=tmp_path / "out", environ=nothing, options=("--tools",))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 2)


def test_a_key_of_gpgs_signs_packages_and_checksums(
    pack: Pack, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    needs("dpkg-deb", "dpkg")
    needs("gpg", "gnupg")
    home = tmp_path_factory.mktemp("g")  # short: the agent's socket lies in it
    home.chmod(0o700)
    environ = {"GNUPGHOME": str(home), "SIGN_GPG_KEY": "builder@example.com"}
    made = ["gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key", "builder@example.com"]
    subprocess.run([*made, "ed25519"], env={"PATH": "/usr/bin:/bin", **environ}, check=True, timeout=60)
    try:
        done = pack("deb", out=tmp_path, environ=environ)
        assert done.returncode == 0, done.stderr
        for signature in tmp_path.glob("*.asc"):
            signed = signature.with_suffix("")
            subprocess.run(
                ["gpg", "--batch", "--quiet", "--verify", signature, signed],
                env={"PATH": "/usr/bin:/bin", **environ},
                capture_output=True,
                check=True,
                timeout=30,
            )
        assert {path.suffixes[-2] for path in tmp_path.glob("*.asc") if "SHA" not in path.name} == {
            ".deb",
            ".json",
        }
        assert (tmp_path / "SHA256SUMS.asc").is_file()
    finally:
        if (gpgconf := shutil.which("gpgconf")) is not None:
            subprocess.run([gpgconf, "--kill", "all"], env={"PATH": "/usr/bin:/bin", **environ}, check=False)


def test_workflows_use_commands_and_scripts_that_exist() -> None:
    targets = {line.partition(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ":" in line}
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text())["jobs"]
        for step in (step for job in jobs.values() for step in job["steps"]):
            for line in str(step.get("run", "")).splitlines():
                words = line.split()
                if words[:1] == ["make"]:
                    assert set(words[1:]) <= targets
                for word in words:
                    if word.startswith(("build/", "installers/")):
                        assert (ROOT / word).exists(), line


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such shell")
def test_the_scripts_of_the_build_are_sound_shell() -> None:
    for path in (ROOT / "build").glob("*.sh"):
        subprocess.run(["/bin/sh", "-n", path], check=True, timeout=10)

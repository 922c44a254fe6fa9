"""Packages are built here as `make packages` builds them, from a small stand-in for the frozen program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EPOCH = "1700000000"

type Pack = Callable[..., subprocess.CompletedProcess[str]]


def needs(tool: str, package: str) -> None:
    """Skip where a tool is missing, and say which."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed (apt-get install {package})")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a frozen program looks like: a file to run, libraries with odd modes, data, a link."""
    directory = tmp_path_factory.mktemp("program")
    lib = directory / "lib"
    (lib / "agent" / "catalog").mkdir(parents=True)
    for name in ("drawbridge", "drawbridge.exe"):
        (directory / name).write_text("#!/bin/sh\necho stands in\n")
        (directory / name).chmod(0o755)
    (lib / "libc++.so.1").write_bytes(b"\x7fELF" + bytes(60) + b"GLIBC_2.28\0GLIBC_2.3\0")
    (lib / "libc++.so.1").chmod(0o775)
    (lib / "libc++.so").symlink_to("libc++.so.1")
    (lib / "agent" / "catalog" / "rows & more.toml").write_text("[rows]\n")
    (lib / "agent" / "catalog" / "rows & more.toml").chmod(0o600)
    return directory


@pytest.fixture(scope="session")
def pack(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """`python build/packages`, into `out`; each time in a working directory of its own."""

    def packed(
        *formats: str, out: Path, environ: Mapping[str, str] | None = None, options: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        work = tmp_path_factory.mktemp("work")
        command = [sys.executable, str(ROOT / "build" / "packages"), *formats, *options]
        command += ["--program", str(program), "--out", str(out), "--work", str(work)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGN_")}
        return subprocess.run(
            command,
            env=clean | {"SOURCE_DATE_EPOCH": EPOCH} | dict(environ or {}),
            capture_output=True,
            text=True,
            timeout=100,
        )

    return packed


def built(pack: Pack, out: Path, kind: str) -> Path:
    """A package of that kind, in `out`."""
    done = pack(kind, out=out)
    assert done.returncode == 0, done.stderr
    (package,) = out.glob(f"*.{kind}")
    return package


class Machine:
    """A machine for the scripts of a package: every command they call is written down, and answers as it is told."""

    COMMANDS = ("systemctl", "systemd-sysusers", "deb-systemd-helper", "deb-systemd-invoke", "drawbridge")
    COMMANDS += ("userdel", "getent", "launchctl", "pkgutil", "rmdir", "rm")

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._log = directory / "log"
        self._bin = directory / "bin"
        self._bin.mkdir()
        self._systemd = directory / "systemd"
        self._systemd.mkdir()
        for name in self.COMMANDS:
            self.answers(name, 0)

    def answers(self, command: str, code: int, said: str = "") -> None:
        """What a command answers from now on."""
        file = self._bin / command
        file.write_text(f'#!/bin/sh\necho "{command} $*" >> {self._log}\necho "{said}"\nexit {code}\n')
        file.chmod(0o755)

    def run(self, script: str, *arguments: str, shell: str = "/bin/sh") -> list[str]:
        """The calls of a script, in order."""
        self._log.write_text("")
        script = script.replace("/run/systemd/system", str(self._systemd))
        done = subprocess.run(
            [shell, "-s", "--", *arguments],
            input=script,
            env={"PATH": f"{self._bin}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 0, done.stderr
        return self._log.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """See `Machine`."""
    (tmp_path / "machine").mkdir()
    return Machine(tmp_path / "machine")

"""The programs that packages are built with: found, or missed with the way to get them, run in one environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]

PROVIDERS: Mapping[str, str] = {
    "dpkg-deb": "dpkg",
    "lintian": "lintian",
    "rpmbuild": "rpm",
    "wixl": "wixl",
    "msiinfo": "msitools",
    "msibuild": "msitools",
    "bsdtar": "libarchive-tools",
    "cpio": "cpio",
    "gpg": "gnupg",
    "osslsigncode": "osslsigncode",
}
"""Which of Debian's packages has each."""


class MissingTool(Exception):
    """A program that a package is built with is not installed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hint = f"apt-get install {PROVIDERS.get(name, name)}"
        super().__init__(f"{name} is not installed: {self.hint}")


class Failed(Exception):
    """A program that a package is built with did not do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is packaged: the version, and the time that everything in the packages has (Unix seconds)."""

    version: str
    epoch: int


def release() -> Release:
    """Of this source tree. The time is that of SOURCE_DATE_EPOCH, else of the last commit, else the day in 1980 that
    zip files begin with."""
    for line in (SOURCE / "agent" / "__init__.py").read_text(encoding="utf-8").splitlines():
        if line.startswith("__version__"):
            version = line.partition('"')[2].rstrip('"')
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or _last_commit()
    return Release(version=version, epoch=int(epoch))


def _last_commit() -> str:
    git = shutil.which("git")
    if git is not None and (SOURCE / ".git").exists():
        done = subprocess.run(
            [git, "log", "-1", "--format=%ct"], cwd=SOURCE, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return done.stdout.strip()
    return "315619200"


def find(name: str) -> str:
    """The program's path. Raises MissingTool."""
    path = shutil.which(name)
    if path is None:
        raise MissingTool(name)
    return path


def call(
    argv: Sequence[str | Path], release: Release, *, cwd: Path | None = None, stdin: bytes | None = None
) -> bytes:
    """What the program writes. Raises MissingTool, Failed with what it said."""
    program = find(str(argv[0]))
    environ = os.environ | {"SOURCE_DATE_EPOCH": str(release.epoch), "LC_ALL": "C", "TZ": "UTC"}
    done = subprocess.run(
        [program, *map(str, argv[1:])], cwd=cwd, env=environ, input=stdin, capture_output=True, check=False
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise Failed(f"{argv[0]} ended with {done.returncode}: {said}")
    return done.stdout


def tell(text: str) -> None:
    """A line for who watches."""
    sys.stderr.write(f"packages: {text}\n")

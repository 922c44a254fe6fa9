"""Freezes the program into one directory: Python, the locked packages and ours, for machines that have none of them.

`freeze.py OUT` with a Python that has requirements/build.txt and nothing else installed; OUT is replaced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
WORK = SOURCE / "build" / ".work" / "freeze"


def freeze(out: Path) -> None:
    """Write the frozen program to `out`. Raises CalledProcessError."""
    shutil.rmtree(WORK, ignore_errors=True)
    environ = os.environ | {
        "FREEZE_SOURCE": str(SOURCE),
        "PYTHONHASHSEED": "0",  # the order of sets reaches the archive
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(
        [
            sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "WARN",
            "--workpath", WORK / "work", "--distpath", WORK / "dist",
            SOURCE / "build" / "packages" / "drawbridge.spec",
        ],
        env=environ,
        cwd=SOURCE,
        check=True,
    )  # fmt: skip
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(WORK / "dist" / "drawbridge", out)


def size(directory: Path) -> int:
    """Bytes of all files below it."""
    return sum(
        path.stat().st_size for path in directory.rglob("*") if path.is_file() and not path.is_symlink()
    )


if __name__ == "__main__":
    target = Path(sys.argv[1]).absolute()
    freeze(target)
    print(f"frozen: {target}, {size(target) / 1e6:.0f} MB")

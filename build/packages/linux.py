"""What .deb and .rpm share: the tree that is installed, and what the program asks of the machine."""

from __future__ import annotations

import gzip
import platform
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from layout import EXECUTABLE, Entry, payload
from tools import SOURCE

HOME = "usr/lib/drawbridge"
CONFIGS = ("etc/drawbridge/config.toml", "etc/xdg/autostart/drawbridge-tray.desktop")
"""What administrators may change: kept through an upgrade."""
_FILES = SOURCE / "installers" / "linux"
_UNITS = (
    "drawbridge.service",
    "drawbridge-setup.path",
    "drawbridge-setup.service",
    "drawbridge-trust.service",
    "drawbridge-restore.service",
)
_ELF = b"\x7fELF"
_MARK = b"GLIBC_2."
_OLDEST = 17  # manylinux2014
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Debian's names for the machine's."""


def tree(program: Path, sbom: bytes) -> Iterator[Entry]:
    """Every file that both packages install."""
    yield from payload(program, HOME)
    yield Entry(path=PurePosixPath("usr/bin/drawbridge"), link="../lib/drawbridge/drawbridge")
    for unit in _UNITS:
        yield Entry(path=PurePosixPath("usr/lib/systemd/system", unit), source=_FILES / unit)
    yield Entry(path=PurePosixPath("usr/lib/sysusers.d/drawbridge.conf"), source=_FILES / "sysusers.conf")
    for config in map(PurePosixPath, CONFIGS):
        yield Entry(path=config, source=_FILES / config.name)
    yield Entry(
        path=PurePosixPath("usr/share/man/man1/drawbridge.1.gz"),
        content=gzipped((_FILES / "drawbridge.1").read_bytes()),
    )
    documents = PurePosixPath("usr/share/doc/drawbridge")
    yield Entry(path=documents / "sbom.cdx.json", content=sbom)
    yield Entry(path=documents / "NOTICE", source=SOURCE / "NOTICE")
    yield Entry(path=documents / "install.md", source=SOURCE / "docs" / "install.md")


def gzipped(content: bytes) -> bytes:
    """As distributions want it: the best compression, no name, no time."""
    return gzip.compress(content, 9, mtime=0)


def machine() -> str:
    """What this machine, and with it the frozen program, is."""
    return platform.machine()


def oldest_glibc(program: Path) -> str:
    """The newest version of the C library that any file of the program asks for."""
    newest = _OLDEST
    for path in program.rglob("*"):
        if path.is_symlink() or not path.is_file() or path.stat().st_size < 64:
            continue
        data = path.read_bytes()
        if data.startswith(_ELF):
            newest = max(newest, *_asked(data), _OLDEST)
    return f"2.{newest}"


def _asked(data: bytes) -> Iterator[int]:
    at = data.find(_MARK)
    while at >= 0:
        digits = bytes(byte for byte in data[at + len(_MARK) : at + len(_MARK) + 2] if 48 <= byte < 58)
        yield int(digits or b"0")
        at = data.find(_MARK, at + 1)


__all__ = ["ARCHITECTURES", "CONFIGS", "EXECUTABLE", "HOME", "gzipped", "machine", "oldest_glibc", "tree"]

"""Where things lie once they are installed: a tree of files written out with fixed modes and times, in one order."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

FILE, EXECUTABLE, DIRECTORY = 0o644, 0o755, 0o755


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file: its content, or the file that has it, or what it links to."""

    path: PurePosixPath  # below the root, relative
    content: bytes = b""
    source: Path | None = None
    link: str = ""
    mode: int = FILE


def payload(program: Path, below: str) -> Iterator[Entry]:
    """The frozen program, below that directory. Nothing but the program itself and libraries need be executable."""
    for path in sorted(program.rglob("*")):
        place = PurePosixPath(below, path.relative_to(program).as_posix())
        if path.is_symlink():
            yield Entry(path=place, link=str(path.readlink()))
        elif path.is_file():
            runs = path.parent == program or _is_program(path)
            yield Entry(path=place, source=path, mode=EXECUTABLE if runs else FILE)


def _is_program(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100) and ".so" not in path.name


def lay_out(entries: Iterator[Entry] | tuple[Entry, ...], root: Path, epoch: int) -> tuple[Entry, ...]:
    """Write them below `root`, which is made anew; sorted, with their directories made. Every time is `epoch`."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    root.chmod(DIRECTORY)
    laid = tuple(sorted(entries, key=lambda each: each.path))
    for entry in laid:
        place = root / entry.path
        for parent in reversed(place.relative_to(root).parents[:-1]):
            if not (root / parent).is_dir():
                (root / parent).mkdir()
                (root / parent).chmod(DIRECTORY)
        if entry.link:
            place.symlink_to(entry.link)
            continue
        if entry.source is not None:
            shutil.copyfile(entry.source, place)
        else:
            place.write_bytes(entry.content)
        place.chmod(entry.mode)
    for directory, _, files in os.walk(root, topdown=False):
        for name in (*files, "."):
            os.utime(Path(directory, name), (epoch, epoch), follow_symlinks=False)
    return laid


def directories(entries: tuple[Entry, ...]) -> tuple[PurePosixPath, ...]:
    """Every directory that holds one of them, sorted."""
    return tuple(sorted({parent for each in entries for parent in each.path.parents if parent.name}))


def installed_size(entries: tuple[Entry, ...], root: Path) -> int:
    """KiB on a disk, as dpkg counts: files in whole blocks, a block for each directory."""
    files = sum(-(-(root / each.path).lstat().st_size // 1024) if not each.link else 1 for each in entries)
    return files + len(directories(entries))

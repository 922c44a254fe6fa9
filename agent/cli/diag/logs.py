"""The last lines of the agent's logs, where there are any. Blocks; what cannot be read is said in its place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.run import Completed, run

TAIL = 256 * 1024  # bytes of each log
_FILES = 10
_LINES = "2000"
_SECONDS = 20.0
_UNIT = "drawbridge.service"
_FOLDERS = {"darwin": (Path("/Library/Logs/Drawbridge"),)}

type Ask = Callable[[Sequence[str]], Completed]


def last_logs(
    paths: StatePaths, *, platform: str = sys.platform, ask: Ask = lambda argv: run(argv, timeout=_SECONDS)
) -> Iterator[tuple[str, str]]:
    """Name and text of every log: files of the state directory and of the system, and the unit's journal."""
    for folder in (paths.logs, *_FOLDERS.get(platform, ())):
        yield from _files(folder)
    if platform == "linux":
        argv = ["journalctl", "--no-pager", "--output=short-iso", "-n", _LINES, "-u", _UNIT]
        try:
            done = ask(argv)
        except HostError as error:
            yield "journal", f"not read: {error}\n"
            return
        text = done.stdout if done.code == 0 else b"not read: " + done.stderr
        yield "journal", text[-TAIL:].decode("utf-8", "replace")


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    except OSError:
        return
    for path in found[-_FILES:]:
        try:
            with path.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - TAIL))
                yield path.name, file.read(TAIL).decode("utf-8", "replace")
        except OSError as error:
            yield path.name, f"not read: {error.strerror}\n"

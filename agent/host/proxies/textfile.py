"""Files that are wholly ours: environment files, and a file of dconf's system database. A value is the file's text."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.files import OTHERS_WRITE, read_limited, write_atomically

LIMIT = 1024 * 1024  # bytes
READABLE = 0o644


def nothing() -> None:
    """What follows a change where nothing needs to."""


class TextFile:
    """A `SettingDriver` of whole files. Only `allowed` ones are touched, whatever a journal says."""

    def __init__(
        self,
        kind: str,
        allowed: Collection[Path],
        *,
        changed: Callable[[], None] = nothing,
        tidies: Collection[Path] = (),
    ) -> None:
        """`changed` is called after each change, and may raise HostError. `tidies` are folders
        that go with the last file in them: systems come without them, so that they are of our making."""
        self._kind = kind
        self._allowed = frozenset(map(str, allowed))
        self._changed = changed
        self._tidies = frozenset(tidies)

    @property
    def kind(self) -> str:
        """See `SettingDriver`."""
        return self._kind

    def scopes(self) -> tuple[str, ...]:
        """The files."""
        return tuple(sorted(self._allowed))

    def read(self, scope: str) -> str | None:
        """See `SettingDriver`."""
        data = read_limited(self._path(scope), limit=LIMIT)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def write(self, scope: str, value: str | None) -> None:
        """See `SettingDriver`."""
        path = self._path(scope)
        if value is None:
            remove(path)
            if path.parent in self._tidies:
                with suppress(OSError):  # something else is kept there
                    path.parent.rmdir()
        else:
            put(path, value.encode("utf-8", "surrogateescape"))
        self._changed()

    def _path(self, scope: str) -> Path:
        if scope not in self._allowed:
            raise HostError(f"{scope} is none of the files that Drawbridge writes as {self._kind}")
        return Path(scope)


def put(path: Path, data: bytes) -> None:
    """Write a file whole, keeping its mode; folders that miss are made. A link is followed to the file that it names.

    Raises HostError where another user could have laid a trap: somebody else's folder, or one that others may write.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else READABLE
        _check_folder(target.parent)
    except OSError as error:
        raise HostError(f"cannot write {path}: {error.strerror or error}") from error
    write_atomically(target, data, mode=mode)


def remove(path: Path) -> None:
    """Remove a file; none is no error. Raises HostError."""
    target = path.resolve()
    try:
        if target.parent.is_dir():
            _check_folder(target.parent)
        with suppress(FileNotFoundError):
            target.unlink()
    except OSError as error:
        raise HostError(f"cannot remove {path}: {error.strerror or error}") from error


def _check_folder(folder: Path) -> None:
    """Of the folder and all above it: as root, none may be another user's to change."""
    if sys.platform == "win32":
        return
    for each in (folder, *folder.parents):
        found = each.stat()
        shared = found.st_mode & OTHERS_WRITE and not found.st_mode & stat.S_ISVTX
        if found.st_uid not in (os.geteuid(), 0) or shared:
            raise HostError(
                f"{folder} can be changed by others than this user (see {each}): nothing is written there",
                hint="Run as the user whose settings they are, without sudo.",
            )

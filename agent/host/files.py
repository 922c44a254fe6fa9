"""Private files: written whole or not at all, readable by their owner only, read with a size limit.

Owns atomic replacement and the permission checks of the state directory. Knows nothing of what the files
mean. Every function blocks on the disk: call them before the event loop runs, or off it. On Windows the
checks of owner and mode are left to the directory's access list, which the state directory gets when it is
made (paths.py).
"""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from agent.errors import HostError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
OTHERS_WRITE = 0o022
OTHERS_ANY = 0o077


def write_atomically(path: Path, data: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Put `data` at `path`: a reader sees the old file or the new one, also after a power cut.

    The umask has no say in `mode`. Raises HostError where the disk or a permission refuses.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        _write_new(scratch, data, mode)
        scratch.replace(path)
        _sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise HostError(
            f"cannot write {path}: {error.strerror or error}",
            hint="Check the free space and the permissions of its folder.",
        ) from error


def read_limited(path: Path, *, limit: int) -> bytes | None:
    """The bytes of a regular file of at most `limit` bytes, None where there is no such file. Raises HostError."""
    return _read(path, limit, _check_regular)


def read_private(path: Path, *, limit: int) -> bytes | None:
    """As `read_limited`, and refuses a file of another owner (but root) or one that group or others may open."""
    return _read(path, limit, _check_private)


def read_protected(path: Path, *, limit: int, owner: int) -> bytes | None:
    """As `read_limited`, and refuses a file of another owner than `owner`, or one that others may change."""

    def check(path: Path, found: os.stat_result) -> None:
        _check_regular(path, found)
        if sys.platform != "win32" and (found.st_uid != owner or found.st_mode & OTHERS_WRITE):
            raise HostError(
                f"{path} (user {found.st_uid}, mode {_mode(found)}) can be changed by others than {owner}",
                hint=f"Run: chown {owner} {path} && chmod go-w {path}",
            )

    return _read(path, limit, check)


def make_private_directory(path: Path) -> None:
    """Make `path` with mode 0700 and check it: no symbolic link, ours, and writable by nobody else.

    Missing parents are made with the usual mode. Raises HostError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir(mode=PRIVATE_DIRECTORY)
            path.chmod(PRIVATE_DIRECTORY)  # mkdir's mode passes the umask, which may take our own bits away
        found = path.lstat()
    except OSError as error:
        raise HostError(
            f"cannot make the directory {path}: {error.strerror or error}",
            hint="Choose another state directory with --state-dir, or mend the permissions.",
        ) from error
    _check_directory(path, found)


def _check_directory(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise HostError(
            f"{path} is a symbolic link; keys are not kept behind one", hint="Name the real directory."
        )
    if not stat.S_ISDIR(found.st_mode):
        raise HostError(f"{path} is not a directory", hint="Remove it, or choose another state directory.")
    if sys.platform == "win32":
        return
    if found.st_uid != os.geteuid():
        raise HostError(
            f"{path} belongs to user {found.st_uid}, not to this process (user {os.geteuid()})",
            hint="Run as its owner, or choose another state directory with --state-dir.",
        )
    if found.st_mode & OTHERS_WRITE:
        raise HostError(
            f"{path} can be written by other users (mode {_mode(found)})",
            hint=f"Run: chmod go-w {path}",
        )


def _read(path: Path, limit: int, check: Callable[[Path, os.stat_result], None]) -> bytes | None:
    try:
        # O_NONBLOCK: opening a FIFO somebody put there must not hang; regular files ignore it
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(
            f"cannot read {path}: {error.strerror or error}", hint="Check its permissions."
        ) from error
    try:
        # the descriptor is checked, not the name: the name may point elsewhere a moment later
        check(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror or error}") from error
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise HostError(f"{path} is larger than {limit} bytes", hint="Is it the right file?")
    return data


def _check_regular(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise HostError(f"{path} is not a regular file", hint="Name a plain file.")


def _check_private(path: Path, found: os.stat_result) -> None:
    _check_regular(path, found)
    if sys.platform == "win32":
        return
    if found.st_uid not in (os.geteuid(), 0):
        raise HostError(
            f"{path} belongs to user {found.st_uid}, not to this process (user {os.geteuid()})",
            hint=f"Run: chown {os.geteuid()} {path}",
        )
    if found.st_mode & OTHERS_ANY:
        raise HostError(
            f"{path} can be opened by other users (mode {_mode(found)})",
            hint=f"Run: chmod 600 {path}, and replace the secret in it if others may have read it.",
        )


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"


def _write_new(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, mode)
    with os.fdopen(descriptor, "wb") as file:
        if sys.platform != "win32":
            os.fchmod(descriptor, mode)
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    """Make the new name itself durable; Windows cannot open a directory, and does not need it."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

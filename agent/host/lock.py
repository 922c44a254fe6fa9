"""A lock that one process holds, to the end of its life at most: the truth of who runs.

Whatever a crash leaves behind, a reused pid or a moved clock says nothing; a lock does. Everything here blocks.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from agent.errors import HostError
from agent.host.files import PRIVATE_FILE

_LOCK_OFFSET = 4096  # Windows forbids others to read a locked byte: the holder's pid stands before it
_ATTEMPTS = 10  # a reader that asks whether the lock is held holds it itself for an instant
_PAUSE = 0.02  # seconds


class ProcessLock:
    """The right to be the one `what` of the file's directory, held from `__enter__` to `__exit__`, or to the end of the
    process."""

    def __init__(self, path: Path, what: str, *, place: Path | None = None, patience: float = 0.0) -> None:
        """`place` is the directory that the error names; the file's own by default. `patience` is for how many seconds
        to wait for whoever holds it."""
        self._path = path
        self._what = what
        self._place = place or path.parent
        self._attempts = max(_ATTEMPTS, int(patience / _PAUSE))
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock. Raises HostError naming the holder's pid."""
        descriptor = _open(self._path)
        for attempt in range(self._attempts):
            if _try(descriptor):
                break
            if attempt < self._attempts - 1:
                time.sleep(_PAUSE)
        else:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise HostError(
                f"another {self._what} (pid {holder}) uses the state directory {self._place}",
                hint="Stop it (SIGTERM), or choose another --state-dir.",
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go. The lock's own file stays: removing it would let two in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether some process holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try(descriptor)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise HostError(f"cannot open the lock {path}: {error.strerror or error}") from error


def _try(descriptor: int) -> bool:
    """Whether the lock was free; it is ours then, until the descriptor is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _LOCK_OFFSET, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            # flock, not lockf: a POSIX record lock is lost when any descriptor of the file is closed
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _holder(descriptor: int) -> str:
    with suppress(OSError):
        os.lseek(descriptor, 0, os.SEEK_SET)
        digits = os.read(descriptor, 32).strip()
        if digits.isdigit():
            return digits.decode()
    return "unknown"

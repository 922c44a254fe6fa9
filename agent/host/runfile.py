"""One daemon per state directory, and where to find it.

Owns the lock, run/daemon.json and run/control.token. The lock is the truth: a run file counts only while
its lock is held, so that a crashed daemon, a reused pid or a moved clock never looks like a running one.
Everything here blocks.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from agent.errors import HostError
from agent.host.files import PRIVATE_FILE, read_private, write_atomically
from agent.host.paths import StatePaths

_LIMIT = 64 * 1024  # bytes
_TOKEN_BYTES = 32
_LOCK_OFFSET = 4096  # Windows forbids others to read a locked byte: the holder's pid stands before it
_ATTEMPTS = 10  # a reader that asks whether the lock is held holds it itself for an instant
_PAUSE = 0.02  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A daemon that is ready to serve."""

    pid: int
    proxy_port: int
    gateway_port: int
    started_at: float  # Unix seconds
    state_dir: str
    ca_path: str
    version: str


class StateLock:
    """The right to run on a state directory, held from `__enter__` to `__exit__`, or to the end of the process."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        """Take the lock and remove a run file that a crash left. Raises HostError naming the holder's pid."""
        descriptor = _open_lock(self._paths.lock)
        for attempt in range(_ATTEMPTS):
            if _try_lock(descriptor):
                break
            if attempt < _ATTEMPTS - 1:
                time.sleep(_PAUSE)
        else:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise HostError(
                f"another daemon (pid {holder}) uses the state directory {self._paths.root}",
                hint="Stop it (SIGTERM), or choose another --state-dir.",
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._descriptor = descriptor
        remove_runfile(self._paths)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the run file and let go. The lock's own file stays: removing it would let two daemons in."""
        if self._descriptor is None:
            return
        remove_runfile(self._paths)
        os.close(self._descriptor)
        self._descriptor = None


def write_runfile(paths: StatePaths, runfile: RunFile) -> None:
    """Say where the daemon is found, once it serves. The caller holds the lock. Raises HostError."""
    write_atomically(paths.runfile, json.dumps(asdict(runfile)).encode() + b"\n")


def remove_runfile(paths: StatePaths) -> None:
    """Take the run file away; none is fine."""
    with suppress(OSError):
        paths.runfile.unlink()


def read_runfile(paths: StatePaths) -> RunFile | None:
    """The running daemon, None where none runs: no file, a malformed one, or one whose daemon is gone.

    Raises HostError where the file is there but may not be read (another user's daemon).
    """
    data = read_private(paths.runfile, limit=_LIMIT)
    runfile = _parse(data) if data is not None else None
    if runfile is None or not psutil.pid_exists(runfile.pid) or not _is_locked(paths.lock):
        return None
    return runfile


def control_token(paths: StatePaths) -> str:
    """The password of the local control API, 64 hex digits, made on the first call. Compare it in constant
    time.

    Raises HostError.
    """
    data = read_private(paths.control_token, limit=_LIMIT)
    token = (data or b"").decode(errors="replace").strip()
    if len(token) == 2 * _TOKEN_BYTES and set(token) <= set("0123456789abcdef"):
        return token
    token = secrets.token_hex(_TOKEN_BYTES)
    write_atomically(paths.control_token, token.encode() + b"\n")
    return token


def _parse(data: bytes) -> RunFile | None:
    try:
        document = json.loads(data)
        found = RunFile(**document)
    except (ValueError, TypeError):
        return None
    numbers = (found.pid, found.proxy_port, found.gateway_port)
    texts = (found.state_dir, found.ca_path, found.version)
    sound = (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(isinstance(text, str) for text in texts)
        and isinstance(found.started_at, (int, float))
    )
    return found if sound else None


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise HostError(f"cannot open the lock {path}: {error.strerror or error}") from error


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
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

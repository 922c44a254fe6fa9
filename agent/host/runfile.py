"""One daemon per state directory, and where to find it.

Owns run/daemon.json and run/control.token. The lock is the truth: a run file counts only while its lock is
held, so that a crashed daemon, a reused pid or a moved clock never looks like a running one.
Everything here blocks.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from types import TracebackType
from typing import Self

import psutil

from agent.host.files import read_private, write_atomically
from agent.host.lock import ProcessLock, is_locked
from agent.host.paths import StatePaths

_LIMIT = 64 * 1024  # bytes
_TOKEN_BYTES = 32


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
    dashboard_port: int = 0  # 0: there is none
    policy: str = ""  # that was given at the start, by option or environment; else the settings say it


_FIELDS = tuple(each.name for each in fields(RunFile))


class StateLock:
    """The right to run on a state directory, held from `__enter__` to `__exit__`, or to the end of the process."""

    def __init__(self, paths: StatePaths) -> None:
        self._paths = paths
        self._lock = ProcessLock(paths.lock, "daemon", place=paths.root)

    def __enter__(self) -> Self:
        """Take the lock and remove a run file that a crash left. Raises HostError naming the holder's pid."""
        self._lock.__enter__()
        remove_runfile(self._paths)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the run file and let go."""
        remove_runfile(self._paths)
        self._lock.__exit__(kind, error, trace)


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
    if runfile is None or not psutil.pid_exists(runfile.pid) or not is_locked(paths.lock):
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
        found = RunFile(
            **{name: document[name] for name in _FIELDS if name in document}
        )  # a newer one may say more
    except (ValueError, TypeError):
        return None
    numbers = (
        found.pid,
        found.proxy_port,
        found.gateway_port,
        found.dashboard_port,
    )
    texts = (found.state_dir, found.ca_path, found.version, found.policy)
    sound = (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(isinstance(text, str) for text in texts)
        and isinstance(found.started_at, (int, float))
    )
    return found if sound else None

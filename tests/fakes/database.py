"""A database of usage in memory, and a real PostgreSQL where the machine has one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.accounts.store import Use
from agent.errors import UpstreamError

USER = "drawbridge"


class MemoryUsage:
    """Implements `UsageDatabase`. While `away`, every call fails; while `deaf` a batch is written, but nobody
    hears of it."""

    def __init__(self) -> None:
        self.batches: dict[int, tuple[Use, ...]] = {}
        self.calls = 0
        self.away = False
        self.deaf = False
        self.closed = False

    @property
    def uses(self) -> list[Use]:
        """All that was written, in order."""
        return [use for batch in self.batches.values() for use in batch]

    def write(self, number: int, uses: Sequence[Use]) -> None:
        """See `UsageDatabase`."""
        self._called()
        self.batches.setdefault(number, tuple(uses))
        if self.deaf:
            raise UpstreamError("the connection broke")

    def read(self, key: str, since_day: int) -> Sequence[Use]:
        """See `UsageDatabase`."""
        self._called()
        return [use for use in self.uses if use.key == key and use.day >= since_day]

    def close(self) -> None:
        """See `UsageDatabase`."""
        self.closed = True

    def _called(self) -> None:
        self.calls += 1
        if self.away:
            raise UpstreamError("away")


def no_postgres() -> str:
    """Why no real server can be started here, or empty."""
    if any(shutil.which(each) is None for each in ("initdb", "postgres")):
        return "no PostgreSQL on this machine"
    if os.geteuid() == 0 and _unprivileged() is None:
        return "PostgreSQL does not run as root, and there is no account for it"
    return ""


def _unprivileged() -> str | None:
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


@contextmanager
def postgres_server() -> Iterator[str]:
    """A real server on loopback with a cluster of its own, gone in the end; the URL of its database."""
    user = _unprivileged() if os.geteuid() == 0 else None
    folder = Path(
        tempfile.mkdtemp(prefix="drawbridge-pg-")
    )  # pytest's own folders are closed to other accounts
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = str(folder / "data")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        subprocess.run(
            ["initdb", "-D", data, "-U", USER, "--auth=trust", "--no-sync", "--no-locale", "-E", "UTF8"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        command = ["postgres", "-D", data, "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        log = (folder / "log").open("wb")
        with (
            log,
            subprocess.Popen(
                [*command, "-c", "listen_addresses=127.0.0.1"], stdout=log, stderr=log, user=user, cwd=folder
            ) as process,
        ):
            try:
                _wait(port, process)
                yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
            finally:
                process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(300):
        assert process.poll() is None, "the database did not start"
        try:
            psycopg.connect(f"postgresql://{USER}@127.0.0.1:{port}/postgres", connect_timeout=1).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the database was not ready")

"""Where the running agent answers commands: a unix socket, in the state directory of a user's own agent, where every
user finds it for the machine's. On Windows, for which Python has no unix sockets, a named pipe (`pipes`).

The kernel takes about a hundred bytes as a socket's path; a longer one is named through its directory's descriptor.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.errors import HostError
from agent.host.files import OTHERS_WRITE
from agent.host.paths import StatePaths, state_directory

MACHINE_SOCKETS = {
    "linux": Path("/run/drawbridge/control.sock"),
    "darwin": Path("/var/run/drawbridge/control.sock"),
}
_NAME = "control.sock"
_LONGEST = 100  # bytes; macOS takes 104 with the end mark, Linux 108
_BACKLOG = 64
_OWNER_ONLY, _EVERYBODY = 0o600, 0o666


def control_socket(paths: StatePaths, *, platform: str = sys.platform) -> Path | None:
    """Where the agent of that state directory answers; None where unix sockets are not to be had."""
    if platform == "win32":
        return None
    if paths.root == state_directory(platform=platform, privileged=True, environ={}):
        return machine_socket(platform=platform)
    return paths.run / _NAME


def machine_socket(*, platform: str = sys.platform) -> Path | None:
    """Where the machine's agent answers."""
    return MACHINE_SOCKETS.get(platform)


def listen_unix(path: Path, *, everybody: bool) -> socket.socket:
    """A listening socket at `path`, in place of one that a dead agent left. With `everybody` all users may connect
    (their account is asked of the kernel), else only this one and root. Its directory is nobody else's. Blocks. Raises
    HostError."""
    try:
        _make_directory(path.parent)
        _remove_socket(path)
        sock = socket.socket(socket.AF_UNIX)
        try:
            with _short(path) as name:
                sock.bind(name)
            path.chmod(_EVERYBODY if everybody else _OWNER_ONLY)
            sock.listen(_BACKLOG)  # until here nobody can connect, whatever the umask
            sock.settimeout(0)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise HostError(
            f"cannot listen on {path}: {error.strerror or error}",
            hint=f"Check the directory {path.parent}.",
        ) from error
    return sock


def remove_socket(path: Path) -> None:
    """Take the socket's name away; none is fine."""
    with suppress(OSError):
        _remove_socket(path)


@contextmanager
def reachable(path: Path) -> Iterator[str]:
    """The name by which the kernel takes that path while the context is open. Raises HostError for one that is too
    long on a system that has no shorter name for it, OSError where its directory is not there."""
    with _short(path) as name:
        yield name


@contextmanager
def _short(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    if sys.platform != "linux":
        raise HostError(
            f"the path {path} is too long for a socket", hint="Choose a state directory with a shorter path."
        )
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)


def _make_directory(path: Path) -> None:
    with suppress(FileExistsError):
        path.mkdir(mode=0o755)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (0, os.geteuid()):
        raise HostError(f"{path} is no directory of ours", hint="Remove it.")
    if found.st_mode & OTHERS_WRITE:
        raise HostError(f"{path} can be written by other users", hint=f"Run: chmod go-w {path}")


def _remove_socket(path: Path) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.lstat().st_mode):
            path.unlink()

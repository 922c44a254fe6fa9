"""What an installed service asks of root: that the machine's settings lead to it, or do so no more.

The service's user may not change them. It leaves one word in a file; the service manager sees the file and starts
`drawbridge setup --requested FILE` as root, which does what the administrator's settings say, and nothing else.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from agent.errors import HostError
from agent.host.files import write_atomically

_LIMIT = 64  # bytes


class Request(StrEnum):
    """The words."""

    SETUP = "setup"
    SETUP_UNCAPTURED = "setup-without-capture"  # the rest; capture is taken back
    RESTORE = "restore"


def ask(path: Path, request: Request) -> None:
    """Leave a request; one that nobody has taken yet is replaced. Blocks. Raises HostError."""
    write_atomically(path, f"{request}\n".encode())


def take(path: Path) -> Request | None:
    """The request, which is removed: one that comes while this is done is seen again. None where there is none. Blocks.

    Whoever wrote it is not trusted: no link is followed, and anything but a known word is refused (HostError).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"cannot read the request {path}: {error.strerror or error}") from error
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        data = os.read(descriptor, _LIMIT) if regular else b""
    finally:
        os.close(descriptor)
    with suppress(FileNotFoundError):
        path.unlink()
    try:
        return Request(data.decode("ascii").strip())
    except ValueError as error:
        raise HostError(f"{path} holds no request that is known") from error

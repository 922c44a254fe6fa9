"""Root at work in somebody else's directory: as that somebody.

The agent's state belongs to its own account. What root writes there must belong to that account, too, and root must not
be led elsewhere by a link that it has made: so root becomes it for as long as it writes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.errors import HostError


@contextmanager
def as_owner_of(directory: Path) -> Iterator[None]:
    """Act as the account that owns `directory` inside the block, where we are root and it is not. The whole process
    does: for commands with one thread. Raises HostError."""
    owner = _other_owner(directory)
    if owner is None or sys.platform == "win32":
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    with _told(owner, directory):
        os.setgroups([])
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def become_owner_of(directory: Path) -> None:
    """Be the account that owns `directory` for good, where we are root and it is not: for commands that have nothing to
    do as root. Raises HostError."""
    owner = _other_owner(directory)
    if owner is None or sys.platform == "win32":
        return
    with _told(owner, directory):
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)


def _other_owner(directory: Path) -> os.stat_result | None:
    """Whose it is, where we are root and it is somebody else's. One that is not there yet becomes ours."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return None
    return found if found.st_uid != 0 else None


@contextmanager
def _told(owner: os.stat_result, directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"cannot act as user {owner.st_uid}, who owns {directory}: {error.strerror or error}"
        ) from error

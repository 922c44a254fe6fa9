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
    if sys.platform == "win32" or os.geteuid() != 0:
        yield
        return
    try:
        found = directory.lstat()
    except FileNotFoundError:
        yield  # nobody's yet: it becomes ours
        return
    if found.st_uid == 0:
        yield
        return
    group, groups = os.getegid(), os.getgroups()
    try:
        os.setgroups([])
        os.setegid(found.st_gid)
        os.seteuid(found.st_uid)
    except OSError as error:
        raise HostError(
            f"cannot act as user {found.st_uid}, who owns {directory}: {error.strerror or error}"
        ) from error
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def become_owner_of(directory: Path) -> None:
    """Be the account that owns `directory` for good, where we are root and it is not: for commands that have nothing to
    do as root. Raises HostError."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    try:
        found = directory.lstat()
    except FileNotFoundError:
        return
    if found.st_uid == 0:
        return
    try:
        os.setgroups([])
        os.setgid(found.st_gid)
        os.setuid(found.st_uid)
    except OSError as error:
        raise HostError(
            f"cannot act as user {found.st_uid}, who owns {directory}: {error.strerror or error}"
        ) from error

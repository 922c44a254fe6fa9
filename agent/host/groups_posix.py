"""A user's groups on Linux and macOS: what the system's own user database says, directories that it is joined to
included."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress


class PosixGroups:
    """A `GroupSource` that asks getgrouplist(3)."""

    def __init__(
        self,
        numbers: Callable[[str], Sequence[int]] | None = None,
        name: Callable[[int], str] | None = None,
    ) -> None:
        """`numbers` gives the ids of a user's groups, `name` that of one; KeyError where there is none."""
        self._numbers = numbers or _numbers
        self._name = name or _name

    def groups(self, user: str) -> tuple[str, ...]:
        """See `GroupSource`."""
        found: list[str] = []
        with suppress(KeyError):  # no such user
            for number in self._numbers(user):
                with suppress(KeyError):  # a group without a name
                    found.append(self._name(number))
        return tuple(found)


def _numbers(user: str) -> Sequence[int]:
    if sys.platform == "win32":
        raise KeyError(user)
    import pwd

    return os.getgrouplist(user, pwd.getpwnam(user).pw_gid)


def _name(number: int) -> str:
    if sys.platform == "win32":
        raise KeyError(number)
    import grp

    return grp.getgrgid(number).gr_name

"""Homes on Linux and macOS."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from agent.host.homes import MAX_HOMES, Home, Registered

_NOBODYS = frozenset({"Shared", "Guest", "lost+found"})
_PEOPLE = 500  # macOS counts people from here, Linux from 1000
_SERVICES = 60_000  # nobody, and what systemd makes up


class PosixResidents:
    """Implements `Residents`: the owner of each directory where homes are, and whom the user database has elsewhere."""

    variables: Mapping[str, str] = {}

    def __init__(
        self,
        *,
        everybody: bool,
        base: Path,
        own: Path | None = None,
        accounts: Callable[[], Iterable[tuple[str, int, str]]] | None = None,
    ) -> None:
        """`base` is where homes are, `own` that of this process, `accounts` gives name, number and home of users."""
        self._everybody = everybody
        self._base = base
        self._own = own
        self._accounts = accounts or _accounts

    def homes(self) -> tuple[Home, ...]:
        """See `Residents`."""
        own = self._own or Path(os.path.expanduser("~"))  # noqa: PTH111  Path.home() raises where there is none
        found = {own: Home(user=_owner(own), path=own)}
        if not self._everybody:
            return tuple(found.values())
        with suppress(OSError):
            for path in sorted(self._base.iterdir()):
                if path.name not in _NOBODYS and not path.is_symlink() and path.is_dir():
                    found.setdefault(path, Home(user=_owner(path), path=path))
        for name, number, place in self._accounts():
            path = Path(place)
            with suppress(OSError):
                if _PEOPLE <= number < _SERVICES and path.is_absolute() and path.is_dir():
                    found.setdefault(path, Home(user=name, path=path))
        return tuple(found.values())[:MAX_HOMES]

    def registered(self) -> Iterable[Registered]:
        """See `Residents`."""
        return ()


def _owner(path: Path) -> str:
    with suppress(OSError, KeyError, NotImplementedError):
        return path.owner()
    return path.name


def _accounts() -> Iterable[tuple[str, int, str]]:
    if sys.platform == "win32":
        return ()
    import pwd

    return [
        (each.pw_name, each.pw_uid, each.pw_dir)
        for each in pwd.getpwall()
        if each.pw_dir not in ("/", "/nonexistent", "/var/empty")
    ]

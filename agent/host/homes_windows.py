"""Homes on Windows, and the programs that it lists for removal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from agent.host.homes import MAX_HOMES, Home, Registered

UNINSTALL = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
UNINSTALL_32 = r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall"
MAX_PROGRAMS = 4096

_NOBODYS = frozenset({"public", "default", "default user", "all users", "defaultuser0"})
_MACHINE = ("ProgramFiles", "ProgramData", "SystemRoot")


class WindowsResidents:
    """Implements `Residents`."""

    def __init__(
        self,
        *,
        everybody: bool,
        environ: Mapping[str, str],
        base: Path | None = None,
        programs: Callable[[], Iterable[Registered]] | None = None,
    ) -> None:
        """`base` is where profiles are, `programs` what the registry lists."""
        self._everybody = everybody
        self._environ = {name.lower(): value for name, value in environ.items()}
        self._base = base or Path(self._environ.get("systemdrive", "C:") + "\\", "Users")
        self._programs = programs or _registry

    @property
    def variables(self) -> Mapping[str, str]:
        """See `Residents`."""
        names = (name.lower() for name in _MACHINE)
        return {name: self._environ[name] for name in names if name in self._environ}

    def homes(self) -> tuple[Home, ...]:
        """See `Residents`."""
        if not self._everybody:
            profile = self._environ.get("userprofile", "")
            return (_home(Path(profile), self._environ.get("username", "")),) if profile else ()
        found: list[Home] = []
        with suppress(OSError):
            found += [
                _home(path, path.name)
                for path in sorted(self._base.iterdir())
                if path.name.lower() not in _NOBODYS and not path.is_symlink() and path.is_dir()
            ]
        return tuple(found[:MAX_HOMES])

    def registered(self) -> Iterable[Registered]:
        """See `Residents`."""
        found: list[Registered] = []
        with suppress(OSError):
            found += islice(self._programs(), MAX_PROGRAMS)
        return found


def _home(path: Path, user: str) -> Home:
    variables = {
        "userprofile": str(path),
        "appdata": str(path / "AppData" / "Roaming"),
        "localappdata": str(path / "AppData" / "Local"),
    }
    return Home(user=user or path.name, path=path, variables=variables)


def _registry() -> Iterator[Registered]:
    """For all users from HKLM, for those who are signed in from HKEY_USERS."""
    yield from ()  # nothing elsewhere
    if sys.platform == "win32":
        import winreg

        def values(root: int, path: str, user: str) -> Iterator[Registered]:
            with suppress(OSError), winreg.OpenKey(root, path) as key:
                for index in range(min(winreg.QueryInfoKey(key)[0], MAX_PROGRAMS)):
                    with suppress(OSError), winreg.OpenKey(key, winreg.EnumKey(key, index)) as program:
                        name = str(winreg.QueryValueEx(program, "DisplayName")[0])
                        version = ""
                        with suppress(OSError):
                            version = str(winreg.QueryValueEx(program, "DisplayVersion")[0])
                        yield Registered(name=name, version=version, user=user)

        for path in (UNINSTALL, UNINSTALL_32):
            yield from values(winreg.HKEY_LOCAL_MACHINE, path, "")
        for index in range(winreg.QueryInfoKey(winreg.HKEY_USERS)[0]):
            sid = winreg.EnumKey(winreg.HKEY_USERS, index)
            if sid.startswith("S-1-5-21-") and not sid.endswith("_Classes"):
                yield from values(winreg.HKEY_USERS, rf"{sid}\{UNINSTALL}", _user_of(sid))


def _user_of(sid: str) -> str:
    """The user name of a signed-in person, else the identifier."""
    if sys.platform == "win32":
        import winreg

        with suppress(OSError), winreg.OpenKey(winreg.HKEY_USERS, rf"{sid}\Volatile Environment") as key:
            return str(winreg.QueryValueEx(key, "USERNAME")[0])
    return sid

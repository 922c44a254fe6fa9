"""The registry of Windows, as far as proxy settings need it, and the call that makes programs read them again."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from agent.errors import HostError

type Data = str | int | bytes


class Hive(StrEnum):
    """Whose values."""

    USER = "HKCU"
    MACHINE = "HKLM"


class Registry(Protocol):
    """Values of keys. A string is REG_SZ, a number REG_DWORD, bytes REG_BINARY. All raise HostError."""

    def get(self, hive: Hive, key: str, name: str) -> Data | None:
        """A value, None where it or its key is missing."""
        ...

    def put(self, hive: Hive, key: str, name: str, data: Data | None) -> None:
        """Set a value, its key too; None removes it."""
        ...

    def announce(self) -> None:
        """Have running programs read their proxy settings again."""
        ...


class WindowsRegistry:
    """The `Registry` of this machine."""

    def get(self, hive: Hive, key: str, name: str) -> Data | None:
        """See `Registry`."""
        if sys.platform == "win32":
            import winreg

            try:
                with winreg.OpenKey(
                    getattr(winreg, _LONG[hive]), key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY
                ) as opened:
                    data = winreg.QueryValueEx(opened, name)[0]
            except FileNotFoundError:
                return None
            except OSError as error:
                raise HostError(f"cannot read {hive}\\{key}: {error.strerror or error}") from error
            if isinstance(data, str | int | bytes):
                return data
            raise HostError(f"{hive}\\{key}\\{name} is of an unexpected type")
        raise HostError("there is no registry on this system")

    def put(self, hive: Hive, key: str, name: str, data: Data | None) -> None:
        """See `Registry`."""
        if sys.platform == "win32":
            import winreg

            kind = {str: winreg.REG_SZ, int: winreg.REG_DWORD, bytes: winreg.REG_BINARY}
            access = winreg.KEY_WRITE | winreg.KEY_WOW64_64KEY
            try:
                with winreg.CreateKeyEx(getattr(winreg, _LONG[hive]), key, 0, access) as opened:
                    if data is None:
                        with suppress(FileNotFoundError):
                            winreg.DeleteValue(opened, name)
                    else:
                        winreg.SetValueEx(opened, name, 0, kind[type(data)], data)
            except OSError as error:
                raise HostError(
                    f"cannot write {hive}\\{key}: {error.strerror or error}", hint="Run as an administrator."
                ) from error
            return
        raise HostError("there is no registry on this system")

    def announce(self) -> None:
        """See `Registry`."""
        if sys.platform == "win32":
            import ctypes

            options = ctypes.windll.wininet.InternetSetOptionW
            for option in (39, 37):  # INTERNET_OPTION_SETTINGS_CHANGED, INTERNET_OPTION_REFRESH
                options(0, option, 0, 0)


_LONG = {Hive.USER: "HKEY_CURRENT_USER", Hive.MACHINE: "HKEY_LOCAL_MACHINE"}

"""Managed settings on Windows: values below HKLM\\SOFTWARE\\Policies\\Drawbridge, which only administrators write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from agent.errors import ConfigError

POLICY_KEY = r"SOFTWARE\Policies\Drawbridge"
VALUES_LIMIT = 256


class RegistryPolicy:
    """The values of one registry key: REG_SZ, REG_DWORD and REG_MULTI_SZ."""

    def __init__(self, values: Callable[[], Iterable[tuple[str, object]]] | None = None) -> None:
        """`values` gives names and data of the key, nothing where the key is missing; by default the registry's."""
        self._values = values or _registry_values

    @property
    def place(self) -> str:
        """The key, as the registry editor writes it."""
        return rf"HKLM\{POLICY_KEY}"

    def read(self) -> Mapping[str, object]:
        """The values, names in lower case (the registry does not tell case apart). Raises ConfigError."""
        try:
            return {name.lower(): data for name, data in self._values() if name}
        except OSError as error:
            raise ConfigError(f"cannot read {self.place}: {error.strerror or error}") from error


def _registry_values() -> Iterable[tuple[str, object]]:
    if sys.platform == "win32":
        import winreg

        # the 64-bit view: a 32-bit program would be shown Wow6432Node, which policies do not reach
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        with (
            suppress(FileNotFoundError),
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, POLICY_KEY, 0, access) as key,
        ):
            count = min(winreg.QueryInfoKey(key)[1], VALUES_LIMIT)
            return [winreg.EnumValue(key, index)[:2] for index in range(count)]
    return []

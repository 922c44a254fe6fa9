"""Managed settings on Windows: values below HKLM\\SOFTWARE\\Policies\\Drawbridge, which only administrators write."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from agent.errors import ConfigError

POLICY_KEY = r"SOFTWARE\Policies\Drawbridge"
VALUES_LIMIT = 256


type Values = Iterable[tuple[str, object]]
"""Names and data below one key."""

type Lists = Iterable[tuple[str, Values]]
"""Names of subkeys, each with what is below it."""


class RegistryPolicy:
    """The values of one registry key: REG_SZ, REG_DWORD and REG_MULTI_SZ. A subkey is a list of its values: so
    administrative templates write lists."""

    def __init__(
        self, values: Callable[[], Values] | None = None, lists: Callable[[], Lists] | None = None
    ) -> None:
        """`values` gives names and data of the key, `lists` its subkeys, each with names and data; nothing where the
        key is missing. By default the registry's."""
        self._values = values or _registry_values
        self._lists = lists or (_registry_lists if values is None else lambda: ())

    @property
    def place(self) -> str:
        """The key, as the registry editor writes it."""
        return rf"HKLM\{POLICY_KEY}"

    def read(self) -> Mapping[str, object]:
        """The values, names in lower case (the registry does not tell case apart). Raises ConfigError."""
        try:
            # a policy for a list that is taken back leaves an empty subkey behind: it says nothing
            found: dict[str, object] = {
                name.lower(): data for name, each in self._lists() if (data := _in_order(each))
            }
            return found | {name.lower(): data for name, data in self._values() if name}
        except OSError as error:
            raise ConfigError(f"cannot read {self.place}: {error.strerror or error}") from error


def _in_order(values: Values) -> list[object]:
    """The data of a list's values, by their names: templates write 1, 2, 3 and so on."""
    return [data for _, data in sorted(values, key=lambda each: (len(each[0]), each[0]))]


def _registry_values() -> Values:
    return _read_key(POLICY_KEY)[0]


def _registry_lists() -> Lists:
    return [(name, _read_key(rf"{POLICY_KEY}\{name}")[0]) for name in _read_key(POLICY_KEY)[1]]


def _read_key(name: str) -> tuple[list[tuple[str, object]], list[str]]:
    """Values and names of subkeys, at most so many."""
    if sys.platform == "win32":
        import winreg

        # the 64-bit view: a 32-bit program would be shown Wow6432Node, which policies do not reach
        access = winreg.KEY_READ | winreg.KEY_WOW64_64KEY
        with (
            suppress(FileNotFoundError),
            winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, name, 0, access) as key,
        ):
            subkeys, values, _ = winreg.QueryInfoKey(key)
            return (
                [winreg.EnumValue(key, index)[:2] for index in range(min(values, VALUES_LIMIT))],
                [winreg.EnumKey(key, index) for index in range(min(subkeys, VALUES_LIMIT))],
            )
    return [], []

"""Managed settings of Windows: registry values."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from agent.errors import ConfigError
from agent.host.managed_windows import POLICY_KEY, RegistryPolicy


def test_names_lose_their_case_and_the_default_value_is_left_out() -> None:
    values = [("Proxy_Port", 7717), ("", "default"), ("resolve", ["a:1=b:2"])]
    assert RegistryPolicy(lambda: values).read() == {"proxy_port": 7717, "resolve": ["a:1=b:2"]}


def test_a_key_that_cannot_be_read_is_an_error() -> None:
    def denied() -> Iterable[tuple[str, object]]:
        raise PermissionError(5, "Access is denied")

    with pytest.raises(ConfigError, match="Access is denied"):
        RegistryPolicy(denied).read()


def test_a_subkey_is_a_list_in_the_order_of_its_numbers() -> None:
    values = [(str(number), f"h{number}:1=a:1") for number in (10, 9, 1)]
    policy = RegistryPolicy(lambda: [("log_level", "info")], lambda: [("Resolve", values), ("policy", [])])
    assert policy.read() == {"log_level": "info", "resolve": ["h1:1=a:1", "h9:1=a:1", "h10:1=a:1"]}


class Registry:
    """As much of `winreg` as is asked, with keys below HKLM as dictionaries: a dictionary in one is a subkey."""

    HKEY_LOCAL_MACHINE = "HKLM"
    KEY_READ, KEY_WOW64_64KEY = 1, 256

    def __init__(self, keys: dict[str, dict[str, object]]) -> None:
        self._keys = keys

    @contextmanager
    def OpenKey(self, hive: str, name: str, reserved: int, access: int) -> Iterator[str]:  # noqa: N802
        assert (hive, reserved, access) == ("HKLM", 0, 257)
        if name not in self._keys:
            raise FileNotFoundError(2, name)
        yield name

    def QueryInfoKey(self, key: str) -> tuple[int, int, int]:  # noqa: N802
        return len(self._subkeys(key)), len(self._keys[key]), 0

    def EnumValue(self, key: str, index: int) -> tuple[str, object, int]:  # noqa: N802
        return (*list(self._keys[key].items())[index], 1)

    def EnumKey(self, key: str, index: int) -> str:  # noqa: N802
        return self._subkeys(key)[index]

    def _subkeys(self, key: str) -> list[str]:
        below = [name.removeprefix(key + "\\") for name in self._keys if name.startswith(key + "\\")]
        return [name for name in below if "\\" not in name]


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        ({}, {}),
        (
            {
                POLICY_KEY: {"proxy_port": 7000, "Log_Level": "info"},
                rf"{POLICY_KEY}\resolve": {"2": "c:1=d:1", "1": "a:1=b:1"},
                rf"{POLICY_KEY}\resolve\deeper": {"1": "never read"},
            },
            {"proxy_port": 7000, "log_level": "info", "resolve": ["a:1=b:1", "c:1=d:1"]},
        ),
    ],
)
def test_the_registry_is_read_in_its_64_bit_view(
    monkeypatch: pytest.MonkeyPatch, keys: dict[str, dict[str, object]], read: dict[str, object]
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "winreg", Registry(keys))  # type: ignore[arg-type]
    assert RegistryPolicy().read() == read

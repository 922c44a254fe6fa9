"""Managed settings of Windows: registry values."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from agent.errors import ConfigError
from agent.host.managed_windows import RegistryPolicy


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

"""The registry itself is not on this system, and says so."""

from __future__ import annotations

import sys

import pytest

from agent.errors import HostError
from agent.host.proxies.registry import Hive, WindowsRegistry


@pytest.mark.skipif(sys.platform == "win32", reason="there it is real, and not to be played with")
def test_elsewhere_there_is_none() -> None:
    registry = WindowsRegistry()
    with pytest.raises(HostError, match="no registry"):
        registry.get(Hive.USER, "key", "name")
    with pytest.raises(HostError, match="no registry"):
        registry.put(Hive.USER, "key", "name", None)
    registry.announce()

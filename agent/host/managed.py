"""Managed settings: what an administrator sets through device management. Protocol and choice by platform.

Each source gives raw values; their meaning and validation belong to settings.py. A source must refuse a
place that an ordinary user can write: it would outrank everything else.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Protocol

MANAGED_LIMIT = 256 * 1024  # bytes


class ManagedSource(Protocol):
    """Where device management leaves settings on this platform."""

    @property
    def place(self) -> str:
        """The file or registry key, as messages name it."""
        ...

    def read(self) -> Mapping[str, object]:
        """The settings as found, empty where there are none. Blocks. Raises ConfigError for what cannot be read."""
        ...


def managed_source(platform: str = sys.platform) -> ManagedSource:
    """The source of this platform."""
    match platform:
        case "darwin":
            from agent.host.managed_darwin import PreferencesFile

            return PreferencesFile()
        case "win32":
            from agent.host.managed_windows import RegistryPolicy

            return RegistryPolicy()
        case _:
            from agent.host.managed_linux import JsonFile

            return JsonFile()

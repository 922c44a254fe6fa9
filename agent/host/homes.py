"""Whose software can be on this machine: homes of people, and what the system registers. Protocol and platform choice.

Blocks. Never raises: what may not be read is as if it were not there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from agent.host.paths import is_privileged

MAX_HOMES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A person's directory. `variables` are those of Windows that lie in it, in lower case."""

    user: str
    path: Path
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A program that the system has in its list of what can be removed. `user` is empty where it is there for all."""

    name: str
    version: str = ""
    user: str = ""


class Residents(Protocol):
    """Knows who has a home here."""

    @property
    def variables(self) -> Mapping[str, str]:
        """Those of the machine, in lower case, for `%NAME%` in places."""
        ...

    def homes(self) -> tuple[Home, ...]:
        """The homes that concern this process: its own user's, or of a privileged one everybody's."""
        ...

    def registered(self) -> Iterable[Registered]:
        """What the system registers; nothing on a system that has no such list."""
        ...


def residents(platform: str = sys.platform, *, privileged: bool | None = None) -> Residents:
    """Those of this platform."""
    everybody = is_privileged() if privileged is None else privileged
    if platform == "win32":
        from agent.host.homes_windows import WindowsResidents

        return WindowsResidents(everybody=everybody, environ=os.environ)
    from agent.host.homes_posix import PosixResidents

    return PosixResidents(everybody=everybody, base=Path("/Users" if platform == "darwin" else "/home"))

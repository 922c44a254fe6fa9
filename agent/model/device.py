"""This machine, as the audit trail and the fleet know it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A machine. `id` is random, made once, and survives a change of hostname."""

    id: str  # UUID
    hostname: str
    os_name: str  # Linux, macOS, Windows
    os_version: str
    groups: tuple[str, ...] = ()  # that device management has put it into


NO_DEVICE = Device(id="", hostname="", os_name="", os_version="")
"""Where nobody knows which machine it is."""

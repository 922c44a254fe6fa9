"""Which program is behind a connection. Protocol and choice by platform.

A finder asks the operating system; it blocks for up to tens of milliseconds, so it is called off the event
loop, and soon after the connection arrives: short-lived command-line clients are gone a second later. It
never raises.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import Protocol

from agent.model.traffic import Process

type Endpoint = tuple[str, int]
"""A numeric IP address and a port."""


class ProcessFinder(Protocol):
    """Finds the client's process by the two ends of its loopback connection."""

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        """The process that opened the connection from `client` (its own end) to `server` (ours).

        None where the system does not say: the process is gone, another user's, or the platform refuses.
        Blocks.
        """
        ...


def process_finder(platform: str = sys.platform) -> ProcessFinder:
    """The finder of this platform."""
    match platform:
        case "darwin":
            from agent.host.processes_darwin import DarwinProcessFinder

            return DarwinProcessFinder()
        case "win32":
            from agent.host.processes_windows import WindowsProcessFinder

            return WindowsProcessFinder()
        case _:
            from agent.host.processes_linux import LinuxProcessFinder

            return LinuxProcessFinder()


def plain_endpoint(endpoint: Endpoint) -> Endpoint:
    """`endpoint` with an IPv4 address that is wrapped in IPv6 (::ffff:127.0.0.1) unwrapped. Raises ValueError."""
    address = ipaddress.ip_address(endpoint[0].partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address), endpoint[1]

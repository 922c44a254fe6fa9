"""The root certificates that the operating system trusts. Protocol and choice by platform."""

from __future__ import annotations

import sys
from typing import Protocol


class RootStore(Protocol):
    """The system's trust store, read only."""

    def stamp(self) -> str:
        """Something short that changes when the store does, cheap to get; empty where the platform has nothing."""
        ...

    def certificates(self) -> tuple[bytes, ...]:
        """The trusted roots, DER. Blocks. Raises HostError where the store cannot be read."""
        ...


def root_store(platform: str = sys.platform) -> RootStore:
    """The store of this platform."""
    match platform:
        case "darwin":
            from agent.host.roots_darwin import Keychains

            return Keychains()
        case "win32":
            from agent.host.roots_windows import SystemStore

            return SystemStore()
        case _:
            from agent.host.roots_linux import CertificateFiles

            return CertificateFiles()

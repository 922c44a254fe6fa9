"""Tells the service manager how we are (sd_notify(3)); does nothing where none asked."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

_VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Notifier:
    """Speaks to systemd over NOTIFY_SOCKET, taken out of the environment: the engine is not to answer for us."""

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self.taken = {name: environ.pop(name) for name in _VARIABLES if name in environ}
        """What it took out of the environment: whoever takes this process over wants it."""
        self._address = self.taken.get("NOTIFY_SOCKET", "")
        limit = self.taken.get("WATCHDOG_USEC", "")
        self.watchdog = int(limit) / 1e6 if limit.isdigit() else 0.0
        """Seconds within which the manager wants to hear from us; 0: it does not."""

    def say(self, **fields: str) -> None:
        """Send assignments such as `ready="1"`. A manager that does not listen is no error."""
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        text = "\n".join(f"{name.upper()}={value}" for name, value in fields.items())
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(text.encode(), address)

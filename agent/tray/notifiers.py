"""Notifications of the desktop, per system: by its service, by its own tool, or by the icon itself.

A text is always an argument of the tool, never a part of a script.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from html import escape
from typing import Protocol

from agent.errors import HostError
from agent.host.run import Runner
from agent.tray.desktop import tool
from agent.tray.session_bus import Asking, SessionBus

APP = "Drawbridge"
_SECONDS = 10.0
_NOTIFICATIONS = (
    "org.freedesktop.Notifications",
    "/org/freedesktop/Notifications",
    "org.freedesktop.Notifications",
)
_TITLE, _TEXT = 100, 400  # characters
_SCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


class Notifier(Protocol):
    """Shows notifications. May block for seconds."""

    def notify(self, title: str, text: str, *, urgent: bool = False) -> None:
        """Show one. Raises HostError where that cannot be done."""
        ...


class BusNotifier:
    """By `org.freedesktop.Notifications`, which may take the text as markup."""

    def __init__(self, bus: Asking | None = None) -> None:
        self._bus = bus or SessionBus()
        self._lock = threading.Lock()  # what was chosen is done in a thread of its own

    def notify(self, title: str, text: str, *, urgent: bool = False) -> None:
        """See Notifier."""
        hints = {
            "urgency": ("y", 2 if urgent else 1),
            "category": ("s", "network"),
            "desktop-entry": ("s", "drawbridge-tray"),
        }
        with self._lock:
            try:
                [abilities] = self._bus.call(_NOTIFICATIONS, "GetCapabilities")
                said = _cut(text, _TEXT)
                if "body-markup" in abilities:
                    said = escape(said, quote=False)
                told: tuple[object, ...] = (APP, 0, "security-high", _cut(title, _TITLE), said, [], hints, -1)
                self._bus.call(_NOTIFICATIONS, "Notify", "susssasa{sv}i", told)
            except HostError as error:
                raise HostError(f"no notification can be shown: {error}") from error


class DarwinNotifier:
    """By `osascript`."""

    def __init__(self, runner: Runner | None = None) -> None:
        self._run = runner or tool(_SECONDS)

    def notify(self, title: str, text: str, *, urgent: bool = False) -> None:
        """See Notifier."""
        del urgent  # macOS lets the person decide
        script = [word for line in _SCRIPT for word in ("-e", line)]
        done = self._run(["/usr/bin/osascript", *script, _cut(title, _TITLE), _cut(text, _TEXT)])
        if done.code != 0:
            raise HostError(f"no notification can be shown (osascript ended with {done.code})")


class IconNotifier:
    """By the icon: on Windows its balloons are the system's notifications. A PowerShell that shows one would take a
    second to start and look to other guards like an attack."""

    def __init__(self, balloon: Callable[[str, str], None]) -> None:
        """`balloon` takes title and text."""
        self._balloon = balloon

    def notify(self, title: str, text: str, *, urgent: bool = False) -> None:
        """See Notifier."""
        del urgent
        try:
            self._balloon(_cut(title, 63), _cut(text, 255))  # what NOTIFYICONDATAW has room for
        except (OSError, NotImplementedError) as error:
            raise HostError(f"no notification can be shown: {error}") from error


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""Which way of showing an icon this desktop has. Nothing is shown here.

On Linux an icon goes by the StatusNotifier protocol (KDE, GNOME with its extension, Xfce, LXQt, MATE, Cinnamon, bars of
Wayland), with the whole menu; where no panel speaks it, by the older XEmbed, where pystray knows clicks but no menu.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from agent.errors import HostError
from agent.tray.session_bus import SessionBus

WATCHER = "org.kde.StatusNotifierWatcher"
_PLACE = (WATCHER, "/StatusNotifierWatcher", "org.freedesktop.DBus.Properties")


class Backend(StrEnum):
    """The ways. But for our own, the names by which pystray knows them."""

    STATUS_NOTIFIER = "statusnotifier"
    XORG = "xorg"
    DARWIN = "darwin"
    WIN32 = "win32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What would be used, or why nothing can be. `waits` is whether a panel that starts later would change that,
    `later` what shows the icon by itself once such a panel comes."""

    backend: Backend | None = None
    later: Backend | None = None
    why: str = ""
    hint: str = ""
    waits: bool = False


class Probe(Protocol):
    """What this desktop has."""

    def watcher(self) -> bool | None:
        """Whether a panel takes StatusNotifier items; None where the session has no D-Bus."""
        ...

    def embeds(self) -> bool | None:
        """Whether a panel takes XEmbed icons; None where there is no X server."""
        ...


def choose(
    environ: Mapping[str, str], probe: Probe, *, platform: str = sys.platform, wanted: str = ""
) -> Choice:
    """The backend for this desktop; `wanted` is what PYSTRAY_BACKEND says."""
    match platform:
        case "darwin":
            return Choice(backend=Backend.DARWIN, why="the menu bar")
        case "win32":
            return Choice(backend=Backend.WIN32, why="the notification area")
    if not any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        return Choice(
            why="there is no desktop here: neither DISPLAY nor WAYLAND_DISPLAY is set",
            hint="Run it in a person's desktop session; `drawbridge status` and `drawbridge top` need none.",
        )
    watcher = None if wanted == Backend.XORG else probe.watcher()
    if watcher:
        return Choice(backend=Backend.STATUS_NOTIFIER, why="StatusNotifier, with the whole menu")
    embeds = None if wanted == Backend.STATUS_NOTIFIER else probe.embeds()
    if embeds:
        return Choice(
            backend=Backend.XORG,
            why="XEmbed: an icon without a menu, a click opens the dashboard",
            hint="snixembed has such panels show the menu, too.",
        )
    return Choice(
        why="no panel takes icons here",
        hint="GNOME shows them with its extension AppIndicator; until then: --no-icon for notifications alone, "
        "`drawbridge dashboard` for the rest.",
        waits=watcher is not None or embeds is not None,
        later=None if watcher is None else Backend.STATUS_NOTIFIER,
    )


class DesktopProbe:
    """Asks the running desktop."""

    def watcher(self) -> bool | None:
        """See Probe."""
        bus = SessionBus()
        try:
            if not bus.has(WATCHER):
                return False
            asked = (WATCHER, "IsStatusNotifierHostRegistered")
            return bool(bus.call(_PLACE, "Get", "ss", asked)[0][1])
        except HostError:
            return None
        finally:
            bus.close()

    def embeds(self) -> bool | None:
        """See Probe."""
        try:
            from Xlib import display, error
        except ImportError:
            return None
        try:
            opened = display.Display()
        except (error.DisplayError, OSError):
            return None
        try:
            selection = opened.intern_atom(f"_NET_SYSTEM_TRAY_S{opened.get_default_screen()}")
            return bool(opened.get_selection_owner(selection))
        finally:
            opened.close()


def lives(environ: Mapping[str, str], probe: Probe) -> bool:
    """Whether the desktop session of this environment is still there."""
    if (wayland := environ.get("WAYLAND_DISPLAY")) and Path(
        environ.get("XDG_RUNTIME_DIR", ""), wayland
    ).exists():
        return True
    if environ.get("DISPLAY"):
        return probe.embeds() is not None
    return not wayland  # nothing that could be gone

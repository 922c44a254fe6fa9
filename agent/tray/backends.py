"""Which way of showing an icon this desktop has. Nothing is shown here.

On Linux an icon goes by the StatusNotifier protocol (KDE, GNOME with its extension, Xfce, MATE, Cinnamon, Sway) through
the AppIndicator library, which falls back to the older XEmbed by itself; without that library by XEmbed only, where
pystray knows clicks but no menu.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

WATCHER = "org.kde.StatusNotifierWatcher"
_SECONDS_MS = 2000


class Backend(StrEnum):
    """The names by which pystray knows them."""

    APPINDICATOR = "appindicator"
    XORG = "xorg"
    DARWIN = "darwin"
    WIN32 = "win32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What would be used, or why nothing can be. `waits` is whether a panel that starts later would change that."""

    backend: Backend | None = None
    why: str = ""
    hint: str = ""
    waits: bool = False


class Probe(Protocol):
    """What this desktop has."""

    def indicator(self) -> str:
        """Why the AppIndicator library cannot be used, or empty."""
        ...

    def watcher(self) -> bool:
        """Whether a panel takes StatusNotifier items."""
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
    lacks = "it was not wanted" if wanted == Backend.XORG else probe.indicator()
    embeds = probe.embeds()
    if not lacks and (embeds or probe.watcher()):
        return Choice(backend=Backend.APPINDICATOR, why="AppIndicator, with the whole menu")
    if lacks and embeds and wanted != Backend.APPINDICATOR:
        return Choice(
            backend=Backend.XORG,
            why=f"XEmbed: an icon without a menu, a click opens the dashboard ({lacks})",
            hint="The menu needs PyGObject and the typelib AyatanaAppIndicator3.",
        )
    if lacks:
        return Choice(
            why=f"no panel takes an icon by XEmbed, and AppIndicator cannot be used: {lacks}",
            hint="Install PyGObject and the typelib AyatanaAppIndicator3, or use `drawbridge dashboard`.",
            waits=embeds is not None and wanted != Backend.APPINDICATOR,
        )
    return Choice(
        why="no panel takes icons here",
        hint="GNOME shows them with its extension AppIndicator; until then: --no-icon for notifications alone, "
        "`drawbridge dashboard` for the rest.",
        waits=True,
    )


class DesktopProbe:
    """Asks the running desktop."""

    def indicator(self) -> str:
        """See Probe."""
        try:
            _require(("Gtk", ("3.0",)), ("AyatanaAppIndicator3", ("0.1",)))
        except (ImportError, ValueError) as first:
            try:
                _require(("Gtk", ("3.0",)), ("AppIndicator3", ("0.1",)))
            except (ImportError, ValueError):
                return str(first)
        return ""

    def watcher(self) -> bool:
        """See Probe."""
        try:
            from gi.repository import Gio, GLib
        except ImportError:
            return False
        with suppress(GLib.Error):
            bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
            place = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner")
            asked = GLib.Variant("(s)", (WATCHER,))
            flags = Gio.DBusCallFlags.NONE
            answer = bus.call_sync(*place, asked, None, flags, _SECONDS_MS, None)
            return bool(answer.unpack()[0])
        return False

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


def _require(*libraries: tuple[str, tuple[str, ...]]) -> None:
    """Raises ImportError, ValueError."""
    import gi

    required: Any = gi.require_version
    for name, versions in libraries:
        required(name, versions[0])

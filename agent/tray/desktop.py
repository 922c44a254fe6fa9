"""The desktop's own tools, and how bright its panel is. Blocks."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum

from agent.errors import HostError
from agent.host.run import Completed, Runner, run

_SECONDS = 5.0
_FOLLOWING = frozenset({"KDE", "MATE", "LXQt"})  # whose panels are as bright as the windows
_LIMIT = 64 * 1024  # bytes of an answer


class Theme(StrEnum):
    """Which panels the icon is drawn for."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


def tool(seconds: float) -> Runner:
    """Runs a tool of the desktop that may show text, for so long at most. What it runs raises HostError."""

    def ask(argv: Sequence[str]) -> Completed:
        return run(argv, timeout=seconds, limit=_LIMIT, locale="C.UTF-8")

    return ask


def has_screen(environ: Mapping[str, str], *, platform: str = sys.platform) -> bool:
    """Whether there is a desktop to show something on."""
    return platform != "linux" or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def dark_panel(
    environ: Mapping[str, str], *, platform: str = sys.platform, runner: Runner | None = None
) -> bool:
    """Whether the panel of this desktop is dark, as far as it says."""
    ask = runner or tool(_SECONDS)
    try:
        match platform:
            case "darwin":
                return b"Dark" in ask(["/usr/bin/defaults", "read", "-g", "AppleInterfaceStyle"]).stdout
            case "win32":
                return not _windows_light()
            case _:
                names = environ.get("XDG_CURRENT_DESKTOP", "").split(":")
                if not _FOLLOWING.intersection(names):
                    return True  # GNOME's, Cinnamon's and Xfce's are dark, whatever the windows are
                schema = ("org.gnome.desktop.interface", "color-scheme")
                return b"dark" in ask(["gsettings", "get", *schema]).stdout
    except HostError:
        return platform == "linux"  # most panels there are dark


def _windows_light() -> bool:
    if sys.platform == "win32":
        import winreg

        key = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, key) as opened:
            return bool(winreg.QueryValueEx(opened, "SystemUsesLightTheme")[0])
    return False

"""How bright the panel is, as each desktop says it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent.errors import HostError
from agent.host.run import Completed
from agent.tray.desktop import dark_panel, tool
from tests.fakes.tray import RecordingRunner


@pytest.mark.parametrize(
    ("platform", "desktop", "said", "dark"),
    [
        ("linux", "GNOME", b"'prefer-light'", True),
        ("linux", "ubuntu:GNOME", b"", True),
        ("linux", "XFCE", b"'default'", True),
        ("linux", "KDE", b"'prefer-dark'", True),
        ("linux", "KDE", b"'default'", False),
        ("darwin", "", b"Dark\n", True),
        ("darwin", "", b"", False),
    ],
)
def test_the_panel_is_as_dark_as_its_desktop_says(
    platform: str, desktop: str, said: bytes, dark: bool
) -> None:
    environ = {"XDG_CURRENT_DESKTOP": desktop}
    assert dark_panel(environ, platform=platform, runner=RecordingRunner(stdout=said)) is dark


def test_a_desktop_that_says_nothing_has_the_panel_of_most() -> None:
    def missing(argv: Sequence[str]) -> Completed:
        raise HostError("no program")

    assert dark_panel({"XDG_CURRENT_DESKTOP": "KDE"}, platform="linux", runner=missing)
    assert not dark_panel({}, platform="darwin", runner=missing)


def test_a_tool_gets_letters_of_every_language() -> None:
    assert tool(10)(["printenv", "LC_ALL"]).stdout == b"C.UTF-8\n"

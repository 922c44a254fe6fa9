"""The question for a reason, as each system puts it."""

from __future__ import annotations

import pytest

from agent.errors import HostError
from agent.tray.asking import DesktopAsker
from tests.fakes.tray import RecordingRunner


def nothing(name: str) -> None:
    return None


@pytest.mark.parametrize(
    ("platform", "tool", "program"),
    [
        ("linux", "zenity", "zenity"),
        ("linux", "kdialog", "kdialog"),
        ("darwin", "", "/usr/bin/osascript"),
        ("win32", "", "powershell.exe"),
    ],
)
def test_every_system_asks_by_its_own_tool(platform: str, tool: str, program: str) -> None:
    runner = RecordingRunner(stdout="  Hôtel\n wifi \n".encode())
    asker = DesktopAsker(platform=platform, runner=runner, find=lambda name: name if name == tool else None)
    assert asker.reason() == "Hôtel wifi"
    [command] = runner.commands
    assert command[0] == program
    assert any("audit trail" in word for word in command)


def test_who_thinks_better_of_it_gives_no_reason() -> None:
    runner = RecordingRunner(code=1, stdout=b"typed, then cancelled")
    assert DesktopAsker(platform="darwin", runner=runner).reason() == ""


def test_a_reason_has_its_limit() -> None:
    assert len(DesktopAsker(platform="darwin", runner=RecordingRunner(stdout=b"x" * 9999)).reason()) == 500


def test_a_desktop_without_a_tool_is_told_the_command() -> None:
    with pytest.raises(HostError) as raised:
        DesktopAsker(platform="linux", runner=RecordingRunner(), find=nothing).reason()
    assert "drawbridge pause" in raised.value.hint()

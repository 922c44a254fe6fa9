"""Notifications, as each system is told to show them."""

from __future__ import annotations

import pytest

from agent.errors import HostError
from agent.tray.notifiers import BusNotifier, DarwinNotifier, IconNotifier
from tests.fakes.bus import FakeBus
from tests.fakes.tray import RecordingRunner

TITLE, TEXT = 'Blocked "a" & b', "--<b>why</b>\n$(id) & \\ é"


@pytest.mark.parametrize(
    ("abilities", "text"),
    [
        (["body", "body-markup"], "--&lt;b&gt;why&lt;/b&gt;\n$(id) &amp; \\ é"),
        (["body"], TEXT),
    ],
)
def test_linux_is_told_over_the_bus_with_markup_escaped_where_there_is_markup(
    abilities: list[str], text: str
) -> None:
    bus = FakeBus(GetCapabilities=(abilities,), Notify=(1,))
    BusNotifier(bus).notify(TITLE, TEXT, urgent=True)
    [_, (method, body)] = bus.calls
    assert method == "Notify"
    assert (body[0], body[3], body[4]) == ("Drawbridge", TITLE, text)
    hints = body[6]
    assert isinstance(hints, dict)
    assert hints["urgency"] == ("y", 2)


def test_a_desktop_without_notifications_is_told() -> None:
    bus = FakeBus(GetCapabilities=HostError("nobody has that name"))
    with pytest.raises(HostError, match="no notification can be shown: nobody"):
        BusNotifier(bus).notify("a", "b")


def test_macos_is_told_by_osascript_and_no_text_is_in_the_script() -> None:
    runner = RecordingRunner()
    DarwinNotifier(runner).notify(TITLE, TEXT)
    [command] = runner.commands
    assert command[0] == "/usr/bin/osascript"
    assert command[-2:] == (TITLE, TEXT)
    script = command[1:-2]
    assert script[::2] == ("-e",) * 3
    assert "why" not in " ".join(script)


def test_windows_is_told_by_the_icon_within_its_limits() -> None:
    shown: list[tuple[str, str]] = []
    IconNotifier(lambda title, text: shown.append((title, text))).notify("t" * 99, "x" * 999)
    assert [len(each) for each in shown[0]] == [63, 255]


def test_a_tool_that_fails_is_told() -> None:
    with pytest.raises(HostError, match="no notification can be shown"):
        DarwinNotifier(RecordingRunner(code=1)).notify("a", "b")


def test_an_icon_without_notifications_is_told() -> None:
    def balloon(title: str, text: str) -> None:
        raise NotImplementedError

    with pytest.raises(HostError):
        IconNotifier(balloon).notify("a", "b")

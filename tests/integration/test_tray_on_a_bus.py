"""The icon on a real D-Bus, with a watcher that does what a panel's does: finds it, reads it, clicks it, and comes
again after it ended."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from jeepney import DBusAddress, HeaderFields, MessageType, new_method_return
from jeepney.io.blocking import DBusConnection, open_dbus_connection
from jeepney.wrappers import new_method_call

from agent.tray.backends import WATCHER, Backend, DesktopProbe, choose
from agent.tray.menu import Deed, Item, Menu
from agent.tray.seen import State
from agent.tray.session_bus import listening
from agent.tray.status_panel import StatusNotifierPanel
from tests.integration.agent_process import wait_until

pytestmark = pytest.mark.skipif(not shutil.which("dbus-daemon"), reason="there is no dbus-daemon here")

PAUSE = Item(label="For 5 minutes", deed=Deed.PAUSE, argument="5")
MENU = Menu(
    state=State.GUARDING,
    title="Drawbridge: guarding",
    items=(Item(label="Guarding"), Item(label="Pause", items=(PAUSE,))),
)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    place = tmp_path / "bus"
    address = f"unix:path={place}"
    daemon = subprocess.Popen(
        ["dbus-daemon", "--session", f"--address={address}", "--nofork", "--nopidfile"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    try:
        wait_until(place.exists, "the bus", seconds=10)
        yield address
    finally:
        daemon.terminate()
        daemon.wait(10)


class Watcher:
    """A panel's side of the protocol."""

    def __init__(self, address: str) -> None:
        self.bus: DBusConnection = open_dbus_connection(bus=address)
        self.item = ""
        self.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "RequestName", "su", WATCHER, 4)

    def wait(self) -> str:
        """The name of the item that is announced."""
        while True:
            message = self.bus.receive(timeout=10)
            if message.header.fields.get(HeaderFields.member) == "RegisterStatusNotifierItem":
                self.bus.send(new_method_return(message))
                self.item = message.body[0]
                return self.item

    def call(self, name: str, path: str, member: str, signature: str, *body: object) -> tuple[Any, ...]:
        asked = new_method_call(DBusAddress(path, name), member, signature or None, body)
        answer = self.bus.send_and_get_reply(asked, timeout=10)
        assert answer.header.message_type is MessageType.method_return, answer.body
        return tuple(answer.body)

    def close(self) -> None:
        self.bus.close()


@contextmanager
def shown(chosen: list[Item]) -> Iterator[StatusNotifierPanel]:
    panel = StatusNotifierPanel(listening(os.environ))
    started = threading.Event()
    thread = threading.Thread(target=panel.run, args=(started.set, chosen.append))
    thread.start()
    assert started.wait(10)
    try:
        yield panel
    finally:
        panel.stop()
        thread.join(10)
        assert not thread.is_alive()


def test_a_panel_finds_the_icon_reads_its_menu_and_clicks(bus: str) -> None:
    chosen: list[Item] = []
    watcher = Watcher(bus)
    with shown(chosen) as panel:
        panel.show(MENU, dark=True)
        item = watcher.wait()
        [properties] = watcher.call(item, "/StatusNotifierItem", "GetAll", "s", "org.kde.StatusNotifierItem")
        assert properties["ToolTip"][1][2] == MENU.title
        menu = properties["Menu"][1]
        _, (_, _, children) = watcher.call(item, menu, "GetLayout", "iias", 0, -1, [])
        assert [each[1]["label"][1] for _, each in children] == ["Guarding", "Pause"]
        [(_, (number, _, _))] = children[1][1][2]
        watcher.call(item, menu, "Event", "isvu", number, "clicked", ("i", 0), 0)
        assert chosen == [PAUSE]
    watcher.close()


def test_a_panel_that_starts_later_or_again_is_told(bus: str) -> None:
    with shown([]) as panel:
        panel.show(MENU, dark=True)
        for _ in range(2):
            watcher = Watcher(bus)
            assert watcher.wait().startswith("org.kde.StatusNotifierItem-")
            watcher.close()


def test_without_a_panel_the_bus_alone_is_what_an_icon_can_wait_for(bus: str) -> None:
    environ = {"WAYLAND_DISPLAY": "wayland-0"}
    choice = choose(environ, DesktopProbe(), platform="linux", wanted=Backend.STATUS_NOTIFIER)
    assert (choice.backend, choice.later) == (None, Backend.STATUS_NOTIFIER)

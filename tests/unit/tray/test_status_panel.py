"""The icon's life on a bus: announced, called, announced again, ended with its session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from jeepney import DBusAddress, HeaderFields, Message, MessageFlag, new_signal

from agent.tray.backends import WATCHER
from agent.tray.bus_objects import CallError
from agent.tray.menu import Deed, Item, Menu
from agent.tray.seen import State
from agent.tray.status_panel import StatusNotifierPanel
from tests.fakes.bus import FakeConnection, calling, given

NAME = "org.kde.StatusNotifierItem-7-1"
OPEN = Item(label="Open", deed=Deed.DASHBOARD, default=True)
MENU = Menu(state=State.GUARDING, title="Drawbridge: guarding", items=(OPEN,))


def owner(new: str) -> Message:
    bus = DBusAddress("/org/freedesktop/DBus", interface="org.freedesktop.DBus")
    return new_signal(bus, "NameOwnerChanged", "sss", (WATCHER, "", new))


@contextmanager
def running(
    connection: FakeConnection, chosen: list[Item], lives: Callable[[], bool] = lambda: True
) -> Iterator[StatusNotifierPanel]:
    panel = StatusNotifierPanel(connection, lives, pid=7)
    started = threading.Event()
    thread = threading.Thread(target=panel.run, args=(started.set, chosen.append))
    thread.start()
    assert started.wait(5)
    try:
        yield panel
    finally:
        panel.stop()
        thread.join(5)
        assert not thread.is_alive()
        assert connection.closed


def test_it_is_announced_and_its_menu_is_told() -> None:
    connection = FakeConnection()
    with running(connection, []) as panel:
        assert [name for name, _ in connection.told()] == ["AddMatch", "RequestName"]
        panel.show(MENU, dark=True)
        assert connection.told()[-1] == ("RegisterStatusNotifierItem", (NAME,))
        other = replace(MENU, state=State.PAUSED, items=(*MENU.items, OPEN))
        panel.show(other, dark=True)
        panel.show(other, dark=True)
        assert [name for name, _ in connection.told()] == ["LayoutUpdated", "NewIcon", "NewAttentionIcon"]


def test_a_watcher_that_comes_back_is_told_again() -> None:
    connection = FakeConnection()
    with running(connection, []) as panel:
        panel.show(MENU, dark=True)
        connection.told()
        connection.arriving.put(owner(""))
        connection.arriving.put(owner(":1.9"))
    assert connection.told() == [("RegisterStatusNotifierItem", (NAME,))]


def test_calls_are_answered_and_a_click_is_passed_on() -> None:
    connection, chosen = FakeConnection(), list[Item]()
    with running(connection, chosen) as panel:
        panel.show(MENU, dark=True)
        connection.sent.clear()
        connection.arriving.put(calling("/MenuBar", None, "Event", "isvu", 1, "clicked", ("i", 0), 0))
        connection.arriving.put(calling("/StatusNotifierItem", None, "Activate", "ii", 1, 1))
        connection.arriving.put(calling("/Elsewhere", None, "Activate", "ii", 1, 1))
        silent = calling("/StatusNotifierItem", None, "Activate", "ii", 1, 1)
        silent.header.flags = MessageFlag.no_reply_expected
        connection.arriving.put(silent)
    assert chosen == [OPEN] * 3
    first, second, third = connection.sent
    assert (given(first), given(second)) == ((), ())
    with pytest.raises(CallError) as refused:
        given(third)
    assert refused.value.name.endswith("UnknownObject")
    assert third.header.fields[HeaderFields.destination] == ":1.7"


def test_it_ends_with_its_session() -> None:
    for event, lives in ((None, False), (ConnectionResetError(), True)):
        connection = FakeConnection()
        panel = StatusNotifierPanel(connection, lambda: lives, pid=7)  # noqa: B023
        connection.arriving.put(event)
        panel.run(lambda: None, lambda item: None)
        assert connection.closed


def test_silence_is_no_end_while_the_session_lives() -> None:
    connection = FakeConnection()
    with running(connection, []) as panel:
        panel.show(MENU, dark=True)
        connection.told()
        connection.arriving.put(None)
        connection.arriving.put(owner(":1.9"))
    assert connection.told() == [("RegisterStatusNotifierItem", (NAME,))]


def test_a_bus_that_is_gone_fails_nobody_who_shows_something() -> None:
    connection = FakeConnection()
    panel = StatusNotifierPanel(connection, pid=7)
    connection.broken = True
    panel.show(MENU, dark=True)

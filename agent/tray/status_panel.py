"""The icon and its whole menu on panels that speak StatusNotifier: KDE, GNOME with its extension, Xfce, LXQt, MATE,
Cinnamon, bars of Wayland. Spoken here over the session's D-Bus, without a toolkit.

A panel that ends or is exchanged is no reason to end: what watches for items is told of ours again when it comes back.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from jeepney import DBusAddress, HeaderFields, Message, MessageFlag, MessageType, new_error, new_method_call
from jeepney.io.threading import ReceiveStopped

from agent.tray.backends import WATCHER
from agent.tray.bus_menu import BusMenu
from agent.tray.bus_objects import BusObject, Values
from agent.tray.menu import Item, Menu, flat
from agent.tray.panels import SESSION_SECONDS, Choose
from agent.tray.session_bus import Listening
from agent.tray.status_item import Look, StatusItem

log = logging.getLogger(__name__)

_ITEM_PATH, _MENU_PATH = "/StatusNotifierItem", "/MenuBar"
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
_WATCHING = DBusAddress("/StatusNotifierWatcher", WATCHER, WATCHER)
_RULE = (
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
    f"member='NameOwnerChanged',arg0='{WATCHER}'"
)
_ALONE = 0x4  # DBUS_NAME_FLAG_DO_NOT_QUEUE


class StatusNotifierPanel:
    """A `Panel` over one connection, for as long as the session `lives`."""

    def __init__(
        self,
        connection: Listening,
        lives: Callable[[], bool] = lambda: True,
        *,
        seconds: float = SESSION_SECONDS,
        pid: int | None = None,
    ) -> None:
        self._connection = connection
        self._lives = lives
        self._seconds = seconds
        self._name = f"org.kde.StatusNotifierItem-{os.getpid() if pid is None else pid}-1"
        self._named = self._shown = False
        self._choose: Choose = lambda item: None
        self._default: Item | None = None
        self._menu = BusMenu(lambda item: self._choose(item))
        self._item = StatusItem(_MENU_PATH, self._clicked)
        self._objects = {
            each.path: each
            for each in (
                BusObject(_ITEM_PATH, self._item.interface()),
                BusObject(_MENU_PATH, self._menu.interface()),
            )
        }

    def run(self, started: Callable[[], None], choose: Choose) -> None:
        """See `Panel`."""
        self._choose = choose
        try:
            self._ask(_BUS, "AddMatch", "s", (_RULE,))
            self._ask(_BUS, "RequestName", "su", (self._name, _ALONE))
            self._named = True
            self._register()
            started()
            while True:
                try:
                    message = self._connection.receive(timeout=self._seconds)
                except TimeoutError:
                    if self._lives():
                        continue
                    return
                self._meet(message)
        except ReceiveStopped:
            return
        except OSError as error:
            log.info("the session's D-Bus is gone: %s", error)
        finally:
            self._connection.close()

    def show(self, menu: Menu, *, dark: bool) -> None:
        """See `Panel`."""
        self._default = next((each for each in flat(menu.items) if each.default), None)
        changes = (
            (_MENU_PATH, self._menu.renew(menu.items)),
            (_ITEM_PATH, self._item.renew(Look(state=menu.state, title=menu.title, dark=dark))),
        )
        try:
            for path, signals in changes:
                for name, body in signals:
                    self._connection.send(self._objects[path].signal(name, body))
            if not self._shown:
                self._shown = True
                self._register()
        except OSError as error:
            log.info("the session's D-Bus is gone: %s", error)  # `run` meets that, too, and ends

    def stop(self) -> None:
        """See `Panel`. Takes no lock: a signal's handler may call it."""
        self._connection.interrupt()

    def _clicked(self) -> None:
        if self._default is not None:
            self._choose(self._default)

    def _register(self) -> None:
        """Announce it, once there is something to show: a panel misses a change that comes while it reads what it was
        told of. Raises OSError."""
        if not (self._named and self._shown):
            return
        self._ask(_WATCHING, "RegisterStatusNotifierItem", "s", (self._name,))

    def _ask(self, whom: DBusAddress, method: str, signature: str, body: Values) -> None:
        """Ask for something whose answer changes nothing here. Raises OSError."""
        message = new_method_call(whom, method, signature, body)
        message.header.flags = MessageFlag.no_auto_start
        self._connection.send(message)

    def _meet(self, message: Message) -> None:
        """What came. Raises OSError."""
        fields = message.header.fields
        match message.header.message_type:
            case MessageType.method_call:
                found = self._objects.get(fields.get(HeaderFields.path, ""))
                answer = (
                    found.answer(message)
                    if found is not None
                    else new_error(message, "org.freedesktop.DBus.Error.UnknownObject")
                )
                if not message.header.flags & MessageFlag.no_reply_expected:
                    self._connection.send(answer)
            case MessageType.signal if fields.get(HeaderFields.member) == "NameOwnerChanged":
                if message.body[2]:  # somebody watches again
                    self._register()
            case MessageType.error:
                log.debug("nobody takes the icon yet: %s", message.body)
            case _:
                pass

"""The icon on the panel: pystray, told what to show. The only module that knows pystray.

pystray opens the display when it is imported, so it is imported where an icon is wanted. Its loop has the main thread,
as macOS demands.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from agent.errors import HostError
from agent.tray.backends import Backend
from agent.tray.icons import flattened, icon
from agent.tray.menu import Deed, Item, Menu
from agent.tray.seen import State

if TYPE_CHECKING:
    from PIL import Image

_NAME = "drawbridge"
SESSION_SECONDS = 30.0
"""Between two looks whether the person is still signed in."""
_SIZE = 64  # pixels; panels make it smaller

type Choose = Callable[[Item], None]
"""Takes an item that was chosen, at once."""


class Panel(Protocol):
    """Where the menu is shown."""

    def run(self, started: Callable[[], None], choose: Choose) -> None:
        """Show it until `stop`; for the main thread. `started` is called once, from any thread, and `choose` with each
        item that is chosen."""
        ...

    def show(self, menu: Menu, *, dark: bool) -> None:
        """Show that from now on. From any thread."""
        ...

    def stop(self) -> None:
        """End `run`. From any thread."""
        ...


class NoPanel:
    """Shows nothing: notifications are sent all the same, for as long as the session `lives`."""

    def __init__(self, lives: Callable[[], bool] = lambda: True, *, seconds: float = SESSION_SECONDS) -> None:
        self._lives = lives
        self._seconds = seconds
        self._ended = threading.Event()

    def run(self, started: Callable[[], None], choose: Choose) -> None:
        """See Panel."""
        del choose
        started()
        while not self._ended.wait(self._seconds) and self._lives():
            pass

    def show(self, menu: Menu, *, dark: bool) -> None:
        """See Panel."""

    def stop(self) -> None:
        """See Panel."""
        self._ended.set()


class PystrayPanel:
    """An icon by one of pystray's backends."""

    def __init__(self, backend: Backend, *, scratch: Path) -> None:
        """`scratch` is a private directory: one backend hands the icon to the panel as a file. Raises HostError where
        the backend cannot be used."""
        self._choose: Choose = lambda item: None
        os.environ["PYSTRAY_BACKEND"] = backend  # how pystray is told, once
        tempfile.tempdir = str(scratch)  # not where others may guess and take the name
        try:
            import pystray
        except Exception as error:
            # what a missing display raises differs from backend to backend
            raise HostError(f"the icon cannot be shown by {backend}: {error}") from error
        self._pystray = pystray
        self._backend = backend
        self._drawn: dict[tuple[State, bool], Image.Image] = {}
        self._icon = pystray.Icon(_NAME, self._draw(State.OFF, dark=False), "Drawbridge")
        if backend is Backend.XORG:
            _hear_clicks(self._icon)

    def run(self, started: Callable[[], None], choose: Choose) -> None:
        """See Panel."""
        self._choose = choose

        def ready(shown: Any) -> None:
            self._in_its_thread(lambda: setattr(shown, "visible", True))
            started()

        self._icon.run(ready)

    def show(self, menu: Menu, *, dark: bool) -> None:
        """See Panel."""
        image, title = self._draw(menu.state, dark=dark), menu.title
        entries = self._pystray.Menu(*map(self._entry, menu.items))

        def change() -> None:
            if self._icon.icon is not image:
                self._icon.icon = image
            self._icon.title = title
            self._icon.menu = entries

        self._in_its_thread(change)

    def stop(self) -> None:
        """See Panel."""
        self._in_its_thread(self._icon.stop)

    def balloon(self, title: str, text: str) -> None:
        """A notification by the icon itself, where its backend has that."""
        self._icon.notify(text, title)

    def _in_its_thread(self, change: Callable[[], None]) -> None:
        if sys.platform == "darwin":
            from PyObjCTools import AppHelper

            AppHelper.callAfter(change)
        else:
            change()  # these backends pass it to their loop themselves

    def _draw(self, state: State, *, dark: bool) -> Image.Image:
        known = self._drawn.get((state, dark))
        if known is None:
            known = icon(state, size=_SIZE, dark=dark)
            if self._backend is Backend.XORG:  # it knows no transparency
                known = flattened(known, dark=dark)
            self._drawn[state, dark] = known
        return known

    def _entry(self, item: Item) -> Any:
        if not item.label:
            return self._pystray.Menu.SEPARATOR
        label = item.label.replace("&", "&&") if self._backend is Backend.WIN32 else item.label
        if item.items:
            return self._pystray.MenuItem(label, self._pystray.Menu(*map(self._entry, item.items)))

        def chosen(shown: Any, entry: Any) -> None:
            del shown, entry
            self._choose(item)

        enabled = item.deed is not Deed.NOTHING
        ticked = None if item.checked is None else lambda shown: bool(item.checked)
        return self._pystray.MenuItem(label, chosen, checked=ticked, default=item.default, enabled=enabled)


def _hear_clicks(shown: Any) -> None:
    """pystray 0.19.5 handles clicks by XEmbed and forgets to ask the X server for them."""
    from Xlib import X

    mask = X.ExposureMask | X.StructureNotifyMask | X.ButtonPressMask
    shown._window.change_attributes(event_mask=mask)  # noqa: SLF001  there is no other way to it

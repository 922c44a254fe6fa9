"""The icon as `org.kde.StatusNotifierItem` has it: pictures, a tooltip, and whether it wants to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agent.tray.bus_objects import Interface, Method, Property, Values
from agent.tray.icons import SIZES, argb, icon
from agent.tray.seen import State

INTERFACE = "org.kde.StatusNotifierItem"

type Pixmaps = list[tuple[int, int, bytes]]  # a list, as D-Bus has arrays


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How it looks."""

    state: State = State.OFF
    title: str = "Drawbridge"
    dark: bool = True

    @property
    def status(self) -> str:
        """In the protocol's words. What is not running is shown all the same: `Passive` would hide it."""
        return "NeedsAttention" if self.state is State.DEGRADED else "Active"


class StatusItem:
    """The item. `look` may be replaced from any thread."""

    def __init__(self, menu_path: str, activate: Callable[[], None]) -> None:
        """`activate` is what a click does that is not for the menu."""
        self._menu = menu_path
        self._activate = activate
        self._drawn: dict[tuple[State, bool], Pixmaps] = {}
        self.look = Look()

    def interface(self) -> Interface:
        """What panels call."""

        def clicked(x: int, y: int) -> Values:
            del x, y
            self._activate()
            return ()

        fixed = {
            "Category": ("s", "SystemServices"),
            "Id": ("s", "drawbridge"),
            "Title": ("s", "Drawbridge"),
            "WindowId": ("i", 0),
            "IconThemePath": ("s", ""),
            "IconName": ("s", ""),
            "OverlayIconName": ("s", ""),
            "AttentionIconName": ("s", ""),
            "AttentionMovieName": ("s", ""),
            "OverlayIconPixmap": ("a(iiay)", []),
            "ItemIsMenu": ("b", True),
            "Menu": ("o", self._menu),
        }
        pictures = Property(kind="a(iiay)", value=lambda: self._pixmaps(self.look))
        return Interface(
            name=INTERFACE,
            methods={
                "Activate": Method(takes="ii", call=clicked),
                "SecondaryActivate": Method(takes="ii", call=clicked),
                "ContextMenu": Method(takes="ii", call=lambda x, y: ()),  # the panel's own work
                "Scroll": Method(takes="is", call=lambda delta, orientation: ()),
                "ProvideXdgActivationToken": Method(takes="s", call=lambda token: ()),
            },
            properties={
                **{name: _constant(*each) for name, each in fixed.items()},
                "Status": Property(kind="s", value=lambda: self.look.status),
                "IconPixmap": pictures,
                "AttentionIconPixmap": pictures,
                "ToolTip": Property(kind="(sa(iiay)ss)", value=lambda: ("", [], self.look.title, "")),
            },
            signals={
                "NewTitle": "",
                "NewIcon": "",
                "NewAttentionIcon": "",
                "NewOverlayIcon": "",
                "NewToolTip": "",
                "NewStatus": "s",
            },
        )

    def renew(self, look: Look) -> list[tuple[str, Values]]:
        """Look so from now on; the signals that say what changed."""
        before, self.look = self.look, look
        signals: list[tuple[str, Values]] = []
        if (before.state, before.dark) != (look.state, look.dark):
            signals += [("NewIcon", ()), ("NewAttentionIcon", ())]
        if before.title != look.title:
            signals.append(("NewToolTip", ()))
        if before.status != look.status:
            signals.append(("NewStatus", (look.status,)))
        return signals

    def _pixmaps(self, look: Look) -> Pixmaps:
        known = self._drawn.get((look.state, look.dark))
        if known is None:
            known = [(size, size, argb(icon(look.state, size=size, dark=look.dark))) for size in SIZES]
            self._drawn[look.state, look.dark] = known
        return known


def _constant(kind: str, value: object) -> Property:
    return Property(kind=kind, value=lambda: value)

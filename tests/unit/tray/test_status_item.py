"""The icon as panels read it over D-Bus."""

from __future__ import annotations

import pytest

from agent.tray.bus_objects import BusObject
from agent.tray.icons import SIZES, icon
from agent.tray.seen import State
from agent.tray.status_item import INTERFACE, Look, StatusItem
from tests.fakes.bus import call

GUARDING = Look(state=State.GUARDING, title="Drawbridge: guarding", dark=True)


def test_panels_find_all_that_they_look_for() -> None:
    item = StatusItem("/MenuBar", lambda: None)
    item.renew(GUARDING)
    thing = BusObject("/StatusNotifierItem", item.interface())
    [told] = call(thing, "org.freedesktop.DBus.Properties", "GetAll", "s", INTERFACE)
    assert told["Menu"] == ("o", "/MenuBar")
    assert told["Status"] == ("s", "Active")
    assert told["ToolTip"] == ("(sa(iiay)ss)", ("", [], "Drawbridge: guarding", ""))
    kind, pictures = told["IconPixmap"]
    assert kind == "a(iiay)"
    assert [each[0] for each in pictures] == list(SIZES)
    width, height, data = pictures[0]
    red, green, blue, alpha = icon(State.GUARDING, size=16, dark=True).getpixel((8, 3))
    at = 4 * (3 * width + 8)
    assert len(data) == 4 * width * height
    assert tuple(data[at : at + 4]) == (alpha, red, green, blue)


def test_a_click_that_is_not_for_the_menu_does_the_usual() -> None:
    clicks: list[int] = []
    thing = BusObject("/x", StatusItem("/MenuBar", lambda: clicks.append(1)).interface())
    for method in ("Activate", "SecondaryActivate", "ContextMenu"):
        call(thing, INTERFACE, method, "ii", 1, 2)
    call(thing, INTERFACE, "Scroll", "is", 1, "vertical")
    assert clicks == [1, 1]


@pytest.mark.parametrize(
    ("look", "signals"),
    [
        (GUARDING, []),
        (Look(state=State.GUARDING, title="other", dark=True), ["NewToolTip"]),
        (Look(state=State.GUARDING, title=GUARDING.title, dark=False), ["NewIcon", "NewAttentionIcon"]),
        (
            Look(state=State.DEGRADED, title="x", dark=True),
            ["NewIcon", "NewAttentionIcon", "NewToolTip", "NewStatus"],
        ),
    ],
)
def test_what_changed_is_told_and_nothing_else(look: Look, signals: list[str]) -> None:
    item = StatusItem("/MenuBar", lambda: None)
    item.renew(GUARDING)
    told = item.renew(look)
    assert [name for name, _ in told] == signals
    assert all(body == (("NeedsAttention",) if name == "NewStatus" else ()) for name, body in told)

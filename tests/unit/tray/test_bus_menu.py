"""The menu as panels read it over D-Bus, and what they are told when it changes."""

from __future__ import annotations

from typing import Any

import pytest

from agent.tray.bus_menu import INTERFACE, BusMenu
from agent.tray.bus_objects import BusObject, CallError
from agent.tray.menu import SEPARATOR, Deed, Item
from tests.fakes.bus import call

PAUSE = Item(
    label="Pause",
    items=tuple(Item(label=f"For {each}", deed=Deed.PAUSE, argument=each) for each in ("5", "15")),
)
GUARDING = Item(label="Guarding")
DASHBOARD = Item(label="Open the_dashboard", deed=Deed.DASHBOARD, default=True)
QUIET = Item(label="Quiet", deed=Deed.QUIET, checked=False)


class Panel:
    """What a panel knows of the menu."""

    def __init__(self) -> None:
        self.chosen: list[Item] = []
        self.menu = BusMenu(self.chosen.append)
        self.bus = BusObject("/MenuBar", self.menu.interface())

    def show(self, *items: Item) -> list[tuple[str, tuple[Any, ...]]]:
        signals = self.menu.renew(items)
        for name, body in signals:
            self.bus.signal(name, body).serialise(serial=1)
        return signals

    def ask(self, method: str, signature: str, *body: object) -> tuple[Any, ...]:
        return call(self.bus, INTERFACE, method, signature, *body)

    def lines(self, parent: int = 0) -> dict[str, int]:
        """Numbers by label."""
        _, (_, _, children) = self.ask("GetLayout", "iias", parent, 1, [])
        return {properties.get("label", ("s", "-"))[1]: number for _, (number, properties, _) in children}

    def click(self, number: int) -> None:
        self.ask("Event", "isvu", number, "clicked", ("i", 0), 1)


@pytest.fixture
def panel() -> Panel:
    panel = Panel()
    panel.show(GUARDING, SEPARATOR, PAUSE, DASHBOARD, QUIET)
    return panel


def test_the_layout_has_every_line_with_what_it_is(panel: Panel) -> None:
    revision, (root, properties, children) = panel.ask("GetLayout", "iias", 0, -1, [])
    assert (root, properties) == (0, {"children-display": ("s", "submenu")})
    assert revision > 0
    said = [each[1] for _, each in children]
    assert said == [
        {"label": ("s", "Guarding"), "enabled": ("b", False)},
        {"type": ("s", "separator")},
        {"label": ("s", "Pause"), "children-display": ("s", "submenu")},
        {"label": ("s", "Open the__dashboard")},
        {"label": ("s", "Quiet"), "toggle-type": ("s", "checkmark"), "toggle-state": ("i", 0)},
    ]
    assert [each[1]["label"][1] for _, each in children[2][1][2]] == ["For 5", "For 15"]


def test_a_panel_may_ask_for_less(panel: Panel) -> None:
    _, (_, _, children) = panel.ask("GetLayout", "iias", 0, 1, ["type"])
    assert [(each[1], each[2]) for _, each in children[1:3]] == [({"type": ("s", "separator")}, []), ({}, [])]
    pause = panel.lines()["Pause"]
    assert set(panel.lines(pause)) == {"For 5", "For 15"}
    [told] = panel.ask("GetGroupProperties", "aias", [pause, 999], ["label"])
    assert told == [(pause, {"label": ("s", "Pause")})]
    [whole] = panel.ask("GetGroupProperties", "aias", [], [])
    assert len(whole) == 8
    assert panel.ask("GetProperty", "is", pause, "enabled") == (("b", True),)


def test_a_click_does_what_the_line_says_and_only_once_it_is_clicked(panel: Panel) -> None:
    pause = panel.lines()["Pause"]
    five = panel.lines(pause)["For 5"]
    panel.ask("Event", "isvu", five, "hovered", ("i", 0), 1)
    panel.click(panel.lines()["Guarding"])
    panel.click(pause)
    assert panel.chosen == []
    panel.click(five)
    assert panel.chosen == [PAUSE.items[0]]
    assert panel.ask(
        "EventGroup", "a(isvu)", [(five, "clicked", ("i", 0), 1), (999, "clicked", ("i", 0), 1)]
    ) == ([999],)
    assert len(panel.chosen) == 2


def test_words_change_in_place_so_that_an_open_menu_stays(panel: Panel) -> None:
    before = panel.lines()
    quiet = Item(label="Quiet", deed=Deed.QUIET, checked=True)
    [(name, (updated, removed))] = panel.show(Item(label="Observing"), SEPARATOR, PAUSE, DASHBOARD, quiet)
    assert name == "ItemsPropertiesUpdated"
    assert [number for number, _ in updated] == [before["Guarding"], before["Quiet"]]
    assert removed == []
    assert panel.lines()["Observing"] == before["Guarding"]
    assert panel.show(Item(label="Observing"), SEPARATOR, PAUSE, DASHBOARD, quiet) == []


def test_other_lines_are_another_layout_of_their_parent_alone(panel: Panel) -> None:
    before = panel.lines()
    shorter = Item(label="Pause", items=PAUSE.items[:1])
    assert panel.show(GUARDING, SEPARATOR, shorter, DASHBOARD, QUIET) == [
        ("LayoutUpdated", (2 + 1, before["Pause"]))
    ]
    signals = panel.show(GUARDING, SEPARATOR, Item(label="Guard again", deed=Deed.RESUME), DASHBOARD, QUIET)
    assert signals == [("LayoutUpdated", (4, 0))]
    assert panel.lines()["Quiet"] == before["Quiet"]


def test_a_click_that_comes_too_late_does_nothing(panel: Panel) -> None:
    five = panel.lines(panel.lines()["Pause"])["For 5"]
    panel.show(GUARDING, SEPARATOR, Item(label="Guard again", deed=Deed.RESUME), DASHBOARD, QUIET)
    with pytest.raises(CallError):
        panel.click(five)
    panel.show(GUARDING, SEPARATOR, PAUSE, DASHBOARD, QUIET)
    assert five not in panel.lines(panel.lines()["Pause"]).values()
    assert panel.chosen == []


def test_a_line_that_may_be_chosen_again_loses_its_mark(panel: Panel) -> None:
    panel.show(Item(label="a", deed=Deed.QUIET, checked=False))
    [(_, (updated, removed))] = panel.show(Item(label="a", deed=Deed.QUIET))
    [(number, names)] = removed
    assert names == ["toggle-type", "toggle-state"]
    assert updated == [(number, {"label": ("s", "a")})]


def test_nothing_is_made_anew_when_a_menu_opens(panel: Panel) -> None:
    assert panel.ask("AboutToShow", "i", 0) == (False,)
    assert panel.ask("AboutToShowGroup", "ai", [0, 999]) == ([], [999])
    with pytest.raises(CallError):
        panel.ask("AboutToShow", "i", 999)

"""The menu as `com.canonical.dbusmenu` has it: items with numbers, read by the panel, and told to it where they change.

A number keeps its deed for as long as it lives, and is never given again: a click that crosses a change on its way
does what the person read, or nothing. What only says something may change under its number, so that an open menu stays
open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.tray.bus_objects import CallError, Interface, Method, Property, Values
from agent.tray.menu import Deed, Item

INTERFACE = "com.canonical.dbusmenu"
_ROOT = 0
_VERSION = 3
_GONE = {"enabled": ("b", True), "visible": ("b", True)}  # what a property is where it is not given

type Variant = tuple[str, object]
type Properties = dict[str, Variant]
type Signal = tuple[str, Values]
"""A signal's name and what it carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    number: int
    item: Item
    properties: Properties
    children: tuple[_Node, ...] = ()

    def all(self) -> Iterator[_Node]:
        yield self
        for each in self.children:
            yield from each.all()


class BusMenu:
    """The menu that is shown now. `renew` is for one thread; what is read meanwhile is the old menu or the new one."""

    def __init__(self, choose: Callable[[Item], None]) -> None:
        self._choose = choose
        self._root = _Node(number=_ROOT, item=Item(), properties=_root_properties())
        self._nodes = {_ROOT: self._root}
        self._next = 1
        self._revision = 1

    def interface(self) -> Interface:
        """What panels call."""
        return Interface(
            name=INTERFACE,
            methods={
                "GetLayout": Method(takes="iias", gives="u(ia{sv}av)", call=self._get_layout),
                "GetGroupProperties": Method(takes="aias", gives="a(ia{sv})", call=self._get_group),
                "GetProperty": Method(takes="is", gives="v", call=self._get_property),
                "Event": Method(takes="isvu", call=self._event),
                "EventGroup": Method(takes="a(isvu)", gives="ai", call=self._event_group),
                "AboutToShow": Method(takes="i", gives="b", call=self._about_to_show),
                "AboutToShowGroup": Method(takes="ai", gives="aiai", call=self._about_to_show_group),
            },
            properties={
                "Version": Property(kind="u", value=lambda: _VERSION),
                "TextDirection": Property(kind="s", value=lambda: "ltr"),
                "Status": Property(kind="s", value=lambda: "normal"),
                "IconThemePath": Property(kind="as", value=list),
            },
            signals={
                "ItemsPropertiesUpdated": "a(ia{sv})a(ias)",
                "LayoutUpdated": "ui",
                "ItemActivationRequested": "iu",
            },
        )

    def renew(self, items: Sequence[Item]) -> list[Signal]:
        """Show those from now on; the signals that say what changed."""
        before, changed = self._nodes, list[int]()
        self._root = _Node(
            number=_ROOT,
            item=Item(),
            properties=_root_properties(),
            children=self._matched(self._root, items, changed),
        )
        self._nodes = {each.number: each for each in self._root.all()}
        signals: list[Signal] = []
        kept = [(before[number], each) for number, each in self._nodes.items() if number in before]
        updated = [(new.number, new.properties) for old, new in kept if old.properties != new.properties]
        removed = [
            (new.number, gone)
            for old, new in kept
            if (gone := [name for name in old.properties if name not in new.properties])
        ]
        if updated or removed:
            signals.append(("ItemsPropertiesUpdated", (updated, removed)))
        if changed:
            self._revision += 1
        signals += [("LayoutUpdated", (self._revision, parent)) for parent in changed]
        return signals

    def _matched(self, old: _Node, items: Sequence[Item], changed: list[int]) -> tuple[_Node, ...]:
        """The nodes for these items, under the numbers of the old ones that do the same; `changed` gets the numbers of
        those parents that have other children than before."""
        left: dict[object, list[_Node]] = {}
        for each in old.children:
            left.setdefault(_kind(each.item), []).append(each)
        own: list[int] = []
        changed_below: list[int] = []
        nodes: list[_Node] = []
        for item in items:
            same = left.get(_kind(item))
            before = same.pop(0) if same else self._fresh(item)
            below: list[int] = []
            children = self._matched(before, item.items, below)
            if before.number in self._nodes:
                changed_below += below
            own.append(before.number)
            nodes.append(
                _Node(number=before.number, item=item, properties=_properties(item), children=children)
            )
        if own != [each.number for each in old.children]:
            changed.append(old.number)
        changed += changed_below
        return tuple(nodes)

    def _fresh(self, item: Item) -> _Node:
        self._next += 1
        return _Node(number=self._next - 1, item=item, properties={})

    def _node(self, number: int) -> _Node:
        found = self._nodes.get(number)
        if found is None:
            raise CallError("InvalidArgs", f"there is no item {number} any more")
        return found

    def _get_layout(self, parent: int, depth: int, names: list[str]) -> Values:
        return self._revision, _layout(self._node(parent), depth, frozenset(names))

    def _get_group(self, numbers: list[int], names: list[str]) -> Values:
        nodes, wanted = self._nodes, frozenset(names)
        chosen = [nodes[each] for each in numbers if each in nodes] if numbers else list(nodes.values())
        return ([(each.number, _chosen(each, wanted)) for each in chosen],)

    def _get_property(self, number: int, name: str) -> Values:
        found = self._node(number).properties.get(name, _GONE.get(name))
        if found is None:
            raise CallError("InvalidArgs", f"the item {number} has no {name[:40]}")
        return (found,)

    def _event(self, number: int, event: str, data: object, stamp: int) -> Values:
        del data, stamp
        node = self._node(number)
        if event == "clicked" and node.item.deed is not Deed.NOTHING:
            self._choose(node.item)
        return ()

    def _event_group(self, events: list[tuple[int, str, object, int]]) -> Values:
        unknown = [event[0] for event in events if event[0] not in self._nodes]
        for event in events:
            if event[0] not in unknown:
                self._event(*event)
        return (unknown,)

    def _about_to_show(self, number: int) -> Values:
        self._node(number)
        return (False,)  # what changed was told already

    def _about_to_show_group(self, numbers: list[int]) -> Values:
        return [], [each for each in numbers if each not in self._nodes]


def _kind(item: Item) -> object:
    return item.deed, item.argument, bool(item.items), bool(item.label)


def _root_properties() -> Properties:
    return {"children-display": ("s", "submenu")}


def _properties(item: Item) -> Properties:
    if not item.label:
        return {"type": ("s", "separator")}
    found: Properties = {"label": ("s", item.label.replace("_", "__"))}  # one alone marks a key to press
    if item.items:
        found["children-display"] = ("s", "submenu")
    elif item.deed is Deed.NOTHING:
        found["enabled"] = ("b", False)
    if item.checked is not None:
        found["toggle-type"] = ("s", "checkmark")
        found["toggle-state"] = ("i", int(item.checked))
    return found


def _chosen(node: _Node, names: frozenset[str]) -> Properties:
    return {name: value for name, value in node.properties.items() if not names or name in names}


def _layout(node: _Node, depth: int, names: frozenset[str]) -> tuple[int, Properties, list[Variant]]:
    below = node.children if depth != 0 else ()
    return (
        node.number,
        _chosen(node, names),
        [("(ia{sv}av)", _layout(each, depth - 1, names)) for each in below],
    )

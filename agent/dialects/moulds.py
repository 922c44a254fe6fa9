"""The values that a stream makes by the thousand, by position: short to write where many are made."""

from __future__ import annotations

from agent.dialects.base import Delta, EventView
from agent.model.content import NO_USAGE, Address, Role, Slot, Usage


def new_slot(address: Address, role: Role, text: str, tool: str = "", call: int = 0) -> Slot:
    """`Slot(address=…, role=…, text=…, tool=…, call=…)`."""
    return Slot(address=address, role=role, text=text, tool=tool, call=call)


def text_delta(channel: str, slot: Slot) -> Delta:
    """`Delta(channel=…, slot=…)`."""
    return Delta(channel=channel, slot=slot)


def json_delta(channel: str, slot: Slot) -> Delta:
    """`Delta(channel=…, slot=…, json_fragment=True)`."""
    return Delta(channel=channel, slot=slot, json_fragment=True)


def delta_view(deltas: tuple[Delta, ...], model: str = "", usage: Usage = NO_USAGE) -> EventView:
    """`EventView(deltas=…, model=…, usage=…)`: what nearly every event of a stream means."""
    return EventView(deltas=deltas, model=model, usage=usage)

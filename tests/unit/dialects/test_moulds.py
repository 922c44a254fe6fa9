"""Fast construction makes the same values as the constructors."""

from __future__ import annotations

from agent.dialects.base import Delta, EventView
from agent.dialects.moulds import delta_view, json_delta, new_slot, text_delta
from agent.model.content import Role, Slot, Usage

SLOT = Slot(address=(("a", 1),), role=Role.USER, text="t")


def test_a_moulded_slot_is_a_slot() -> None:
    assert new_slot((("a", 1),), Role.USER, "t") == SLOT


def test_a_moulded_delta_is_a_delta() -> None:
    assert text_delta("c", SLOT) == Delta(channel="c", slot=SLOT)
    assert json_delta("c", SLOT) == Delta(channel="c", slot=SLOT, json_fragment=True)
    assert text_delta("c", SLOT).piece == "t"


def test_a_moulded_view_is_a_view_with_every_field_set() -> None:
    delta = Delta(channel="c", slot=SLOT)
    assert delta_view((delta,)) == EventView(deltas=(delta,))
    assert delta_view((), "m", Usage(input_tokens=1)) == EventView(model="m", usage=Usage(input_tokens=1))

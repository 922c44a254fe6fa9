"""Content values."""

from __future__ import annotations

import pytest

from agent.model.content import NO_USAGE, Role, Slot, Usage, outermost


def test_usage_reported_in_parts_is_put_together() -> None:
    first = Usage(input_tokens=10, output_tokens=1, cache_read_tokens=4)
    assert first.merged(Usage(output_tokens=7, reasoning_tokens=2)) == Usage(
        input_tokens=10, output_tokens=7, cache_read_tokens=4, reasoning_tokens=2
    )


def test_a_count_of_zero_is_a_count() -> None:
    assert Usage(output_tokens=5).merged(Usage(output_tokens=0)).output_tokens == 0


def test_nothing_known_changes_nothing() -> None:
    known = Usage(input_tokens=1)
    assert known.merged(NO_USAGE) == known == NO_USAGE.merged(known)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Slot(address=((),), role="user", text="x").text = "y"  # type: ignore[misc, arg-type]


def test_a_text_inside_another_text_is_not_the_outermost() -> None:
    addresses = [(("a",),), (("a",), ("b",)), (("f", 1), (0,)), (("f", 1), (0,), ("c",)), ((), ())]
    slots = [Slot(address=address, role=Role.USER, text="x") for address in addresses]
    assert [slot.address for slot in outermost(slots)] == [addresses[0], addresses[2], addresses[4]]
    assert outermost(slots[:1]) == slots[:1]

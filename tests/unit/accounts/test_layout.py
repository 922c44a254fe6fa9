"""How meters are told to the shared store, and read back."""

from __future__ import annotations

from agent.accounts import layout
from agent.accounts.meters import Amounts
from agent.accounts.store import Use
from agent.accounts.windows import window
from agent.policy.accounts import Per, WindowKind
from tests.fakes.accounts import NOW, meter

HOURLY, DAILY = meter(10), meter(10, frame=window(Per.DAY, WindowKind.CALENDAR))
WAYS = meter(3, under_way=True)


def test_what_the_scripts_are_told_of_a_meter() -> None:
    day = int(NOW) // 86_400 * 86_400
    assert layout.reserve_arguments(HOURLY, 7, NOW) == ["r", 60, 60, 10, 7, 60 * 124]
    assert layout.reserve_arguments(DAILY, None, NOW)[:5] == ["c", day, day + 86_400, 10, ""]
    assert layout.reserve_arguments(WAYS, 1, NOW) == ["g", 0, 0, 3, 1, 86_400]
    used = Amounts(0, 5)
    told = [layout.settle_arguments(each, used) for each in (HOURLY, DAILY, WAYS)]
    assert told == [["r", 60, 5], ["c", 0, 5], ["g", 0, 0]]


def test_a_state_is_read_back() -> None:
    slot = int(NOW) // 60
    state = {"at": str(slot), "total": "8", str(slot): "5", str(slot - 60): "3", str(slot - 61): "9"}
    assert layout.reading(HOURLY, state, NOW).used == 8
    assert layout.reading(WAYS, "2", NOW).used == 2
    flat = [part for pair in state.items() for part in pair]
    assert layout.refusal(HOURLY, 5, flat, NOW).retry_after == 60
    assert layout.refusal(WAYS, 1, [], NOW).retry_after == 1
    assert layout.refusal(WAYS, 4, [], NOW).retry_after is None


def test_a_day_of_history_is_read_back() -> None:
    figures = ("requests", "input_tokens", "output_tokens", "nano_usd", "unpriced")
    found = {f"{name}:x/m:free": str(place) for place, name in enumerate(figures)}
    assert layout.uses("k", 3, found) == [Use("k", 3, "x/m:free", 0, 1, 2, 3, 4)]

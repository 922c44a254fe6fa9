"""Groups on Linux and macOS."""

from __future__ import annotations

from agent.host.groups_posix import PosixGroups

NAMES = {20: "staff", 501: "finance"}


def numbers(user: str) -> list[int]:
    return {"ann": [20, 501, 777]}[user]


def test_groups_are_told_by_name_and_those_without_are_left_out() -> None:
    source = PosixGroups(numbers, lambda number: NAMES[number])
    assert source.groups("ann") == ("staff", "finance")


def test_a_user_whom_nobody_knows_is_in_none() -> None:
    assert PosixGroups(numbers, lambda number: NAMES[number]).groups("eve") == ()

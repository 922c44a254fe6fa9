"""Patterns of model names in the catalog's data: `*` is anything, `#` a digit, and what follows `!` must not fit."""

from __future__ import annotations


def is_plain(pattern: str) -> bool:
    """Whether `pattern` fits one name only."""
    return not set(pattern) & set("*#!")


def fits(pattern: str, name: str) -> bool:
    """Whether `name` (lower case) is one that `pattern` (lower case) means."""
    wanted, *excluded = pattern.split("!")
    return _fits(wanted, name) and not any(_fits(each, name) for each in excluded)


def _fits(pattern: str, name: str) -> bool:
    first, *rest = pattern.split("*")
    if not _begins(first, name):
        return False
    if not rest:
        return len(name) == len(first)
    place = len(first)
    *middle, last = rest
    for part in middle:
        found = _find(part, name, place)
        if found < 0:
            return False
        place = found + len(part)
    return len(name) - len(last) >= place and _begins(last, name[len(name) - len(last) :])


def _find(part: str, name: str, start: int) -> int:
    """Where `part` first stands in `name` from `start` on; -1: nowhere."""
    if "#" not in part:
        return name.find(part, start)
    return next((at for at in range(start, len(name) - len(part) + 1) if _begins(part, name[at:])), -1)


def _begins(part: str, name: str) -> bool:
    if "#" not in part:
        return name.startswith(part)
    return len(name) >= len(part) and all(
        wanted == found or (wanted == "#" and found in "0123456789")
        for wanted, found in zip(part, name, strict=False)
    )

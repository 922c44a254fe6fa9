"""Globs, a policy's only patterns besides detectors: `*` is any run of characters, `?` any one, else literal.

Both sides are compared without regard to case: another spelling of a model or host must not slip past a rule.
The matcher never backtracks over an earlier `*`, so its cost is at most len(pattern) × len(text).
"""

from __future__ import annotations

from collections.abc import Iterable


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` fits `pattern`."""
    pattern, text = pattern.lower(), text.lower()
    if "?" not in pattern and "*" not in pattern:
        return pattern == text
    first, *rest = pattern.split("*")
    if not rest:
        return len(first) == len(text) and _fits_at(first, text, 0)
    last = rest.pop()
    end = len(text) - len(last)
    start = len(first)
    if start > end or not _fits_at(first, text, 0) or not _fits_at(last, text, end):
        return False
    for part in rest:
        found = _find(part, text, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def first_match(patterns: Iterable[str], text: str) -> str | None:
    """The first of `patterns` that fits `text`."""
    for pattern in patterns:
        if matches(pattern, text):
            return pattern
    return None


def _fits_at(part: str, text: str, start: int) -> bool:
    if "?" not in part:
        return text.startswith(part, start)
    return all(wanted in ("?", found) for wanted, found in zip(part, text[start:], strict=False))


def _find(part: str, text: str, start: int, end: int) -> int:
    """The leftmost index in `text[start:end]` at which `part` fits, or -1."""
    if "?" not in part:
        return text.find(part, start, end)
    for index in range(start, end - len(part) + 1):
        if _fits_at(part, text, index):
            return index
    return -1

"""JSON values, and the many texts by which one value may come."""

from __future__ import annotations

import json
import random

from hypothesis import strategies as st

from agent.model.content import Path

TEXTS = st.text(st.sampled_from([*'ab "\\/{}[]:,1u0\n\té€😀\ufffd\x7f', "\u2028"]), max_size=12)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


DICE = st.integers(0, 2**32).map(random.Random)


@st.composite
def spellings(draw: st.DrawFn, values: st.SearchStrategy[object] = VALUES) -> str:
    """One of the many texts of a JSON value: white space and escapes as they may come."""
    return spelled(draw(DICE), draw(values))


def spelled(dice: random.Random, value: object) -> str:
    def space() -> str:
        return dice.choice(["", "", " ", "\n  ", "\t\r\n"])

    if isinstance(value, dict):
        parts = [f"{escaped(dice, k)}{space()}:{space()}{spelled(dice, v)}" for k, v in value.items()]
        return f"{space()}{{{space()}{f'{space()},{space()}'.join(parts)}{space()}}}{space()}"
    if isinstance(value, list):
        items = [spelled(dice, item) for item in value]
        return f"{space()}[{space()}{f'{space()},{space()}'.join(items)}{space()}]{space()}"
    return escaped(dice, value) if isinstance(value, str) else json.dumps(value)


def escaped(dice: random.Random, text: str) -> str:
    match dice.choice(["plain", "ascii", "all", "slashes"]):
        case "plain":
            return json.dumps(text, ensure_ascii=False)
        case "ascii":
            return json.dumps(text)
        case "slashes":
            return json.dumps(text).replace("/", "\\/")
    units = text.encode("utf-16-be").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


def leaves(value: object, path: Path = ()) -> dict[Path, object]:
    """Every scalar of a value."""
    if isinstance(value, dict):
        return {k: v for key, item in value.items() for k, v in leaves(item, (*path, key)).items()}
    if isinstance(value, list):
        return {k: v for index, item in enumerate(value) for k, v in leaves(item, (*path, index)).items()}
    return {path: value}

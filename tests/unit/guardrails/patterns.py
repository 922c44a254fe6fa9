"""Random patterns over a small alphabet, for tests of what is derived from patterns."""

from __future__ import annotations

from hypothesis import strategies as st

_ATOMS = st.sampled_from(["a", "b", "-", "/", "[ab]", "[^a]", r"\b", r"(?i:A)", "."])
_COUNTS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,4}", "{2,5}", "{4,}", "*?", "{1,6}?"])


def patterns() -> st.SearchStrategy[str]:
    """Patterns that RE2 accepts."""
    return st.recursive(
        _ATOMS,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map("".join),
            st.lists(inner, min_size=2, max_size=5).map(lambda options: "(" + "|".join(options) + ")"),
            st.tuples(inner, _COUNTS).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        ),
        max_leaves=6,
    )

"""A note says which pack, which rule, which key, and what follows."""

from __future__ import annotations

from agent.guardrails.notes import EVERY_RULE, Note


def test_a_note_reads_as_one_line() -> None:
    assert (
        str(Note(pack="a.toml", rule="r", key="path", text="not loaded"))
        == "a.toml: rule r: path: not loaded"
    )
    assert str(Note(pack="a.toml", rule=EVERY_RULE, key="x", text="y")) == "a.toml: x: y"

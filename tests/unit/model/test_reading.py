"""What was read out of a file."""

from __future__ import annotations

from agent.model.reading import Passage, Reading


def test_the_characters_of_a_text_are_its_own_and_not_those_of_its_views() -> None:
    own = Passage(text="abc", rewritable=True)
    assert Reading(type="text", passages=(own, Passage(text="abcdef"))).characters == 3
    assert Reading(type="pdf", passages=(Passage(text="ab"), Passage(text="c"))).characters == 3


def test_a_readings_text_shows_in_no_log() -> None:
    assert "secret" not in repr(Reading(type="text", passages=(Passage(text="secret"),)))

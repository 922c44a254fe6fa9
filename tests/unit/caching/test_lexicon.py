"""The lexicon is data that holds together."""

from __future__ import annotations

from importlib.resources import files

from agent.caching.lexicon import contradictions, lexicon, read_lexicon

TEXT = files("agent.caching").joinpath("lexicon.toml").read_text(encoding="utf-8")


def test_no_word_stands_on_two_sides() -> None:
    assert contradictions(TEXT) == []
    assert contradictions('poles = ["a b | c", "b | d"]') == ["b"]


def test_every_word_is_in_lower_case() -> None:
    assert TEXT.replace("# ", "").splitlines()
    known = lexicon()
    words = {*known.negations, *known.numbers, *known.units, *known.poles, *known.names, *known.empty}
    assert {word for word in words if word != word.lower()} == set()


def test_sides_of_an_axis_are_told_apart() -> None:
    known = read_lexicon(TEXT)
    assert known.poles["enable"].axis == known.poles["disabled"].axis
    assert known.poles["enable"].side != known.poles["disabled"].side
    assert known.poles["off"].axis == ""

"""What a row of the table says."""

from __future__ import annotations

import pytest

from agent.host.setting_rows import Key, PerSystem, Row, System
from agent.host.setting_shapes import TEXT
from agent.host.setting_values import port


def test_a_reader_of_ones_own_comes_with_its_shape() -> None:
    with pytest.raises(ValueError, match="no shape"):
        Row.of("x", Key(read=len, allowed="anything"), None)
    assert Row.of("x", Key(read=len, allowed="anything", shape=TEXT), None).shape is TEXT


def test_defaults_are_words() -> None:
    key = Key(read=port, allowed="a port")
    assert [Row.of("x", key, value).default for value in (7717, None, (), True)] == [
        "7717",
        "none",
        "none",
        "on",
    ]
    assert Row.of("x", Key(read=port, allowed="", default="any"), 1).default == "any"


def test_an_example_may_differ_by_system() -> None:
    key = Key(read=port, allowed="", example=PerSystem(macos="m", windows="w", linux="l"))
    row = Row.of("state_dir", key, None)
    assert [row.example(system) for system in System] == ["m", "w", "l"]
    assert row.title == "State directory"

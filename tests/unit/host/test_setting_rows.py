"""What a row of the table says, and that every row says it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from agent.host.setting_rows import Key, PerSystem, Row, System
from agent.host.setting_shapes import TEXT, Kind
from agent.host.setting_values import port
from agent.host.settings import Settings, setting_rows

ROWS = setting_rows()


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    assert [row.name for row in ROWS] == [
        field.name for field in fields(Settings) if field.name not in ("origins", "overridden")
    ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_tells_an_administrator_all_there_is(row: Row) -> None:
    assert row.key.about.endswith("."), "one sentence, for the template's help"
    assert "\n" not in row.key.about
    assert row.key.allowed
    assert row.default
    assert row.name.replace("_", "").isalpha(), (
        "names go into registry values, queries and identifiers as they are"
    )


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.shape.kind is not Kind.PATH], ids=lambda row: row.name
)
def test_examples_are_read(row: Row) -> None:
    if (example := row.example(System.LINUX)) is not None:
        row.key.read(example)


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

"""Every setting has its row in the table, and every row tells all there is to tell."""

from __future__ import annotations

from dataclasses import fields

import pytest

from agent.host.setting_keys import KEYS
from agent.host.setting_rows import Effect, Row, System
from agent.host.setting_shapes import Kind
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


def test_what_is_put_in_force_at_once_is_what_the_running_agent_or_the_tray_can_follow() -> None:
    live = {name for name, key in KEYS.items() if key.takes_hold is Effect.LIVE}
    assert live == {"policy", "log_level", "notifications"}

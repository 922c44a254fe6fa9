"""The table for people."""

from __future__ import annotations

from agent.host.mdm.page import settings_table
from agent.host.setting_rows import Key, Row
from agent.host.setting_values import text


def test_a_setting_is_a_line() -> None:
    row = Row.of("name", Key(read=text, allowed="a | b", about="A name."), "x")
    assert settings_table([row]).splitlines()[2] == (
        "| `name` | A name. | a \\| b | x | when the engine is started again | 0.1.0 |"
    )

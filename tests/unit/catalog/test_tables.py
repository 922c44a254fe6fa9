"""Values out of TOML tables, each of the type it must have."""

from __future__ import annotations

import pytest

from agent.catalog import tables
from agent.errors import ConfigError


def test_what_is_not_there_is_empty() -> None:
    assert tables.text({}, "a", where="w") == ""
    assert tables.texts({}, "a", where="w") == ()
    assert tables.table({}, "a", where="w") == {}
    assert tables.rows({}, "a", where="w") == ()
    assert tables.flag({}, "a", where="w") is False
    assert tables.count({}, "a", where="w") == 0


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "1"])
def test_a_count_is_a_whole_number_above_nothing(value: object) -> None:
    assert tables.count({"a": 1}, "a", where="w") == 1
    with pytest.raises(ConfigError, match="w: a must be a whole number above 0"):
        tables.count({"a": value}, "a", where="w")


def test_an_empty_text_is_a_mistake_unless_it_may_be() -> None:
    with pytest.raises(ConfigError, match="w: a must be a text"):
        tables.text({"a": ""}, "a", where="w")
    assert tables.text({"a": ""}, "a", where="w", may_be_empty=True) == ""


def test_keys_are_those_that_are_known() -> None:
    tables.check_keys({"a": 1}, frozenset({"a"}), frozenset({"b"}), where="w")
    with pytest.raises(ConfigError, match="w: missing a"):
        tables.check_keys({}, frozenset({"a"}), frozenset(), where="w")
    with pytest.raises(ConfigError, match="w: unknown c") as caught:
        tables.check_keys({"a": 1, "c": 1}, frozenset({"a"}), frozenset({"b"}), where="w")
    assert caught.value.hint() == "known keys: a, b"

"""The formats that can be translated."""

from __future__ import annotations

import pytest

from agent.dialects import DIALECTS
from agent.translation.registry import TRANSLATORS, translator


@pytest.mark.parametrize("name", ["openai-chat", "anthropic-messages"])
def test_a_format_is_found_by_the_catalogs_name(name: str) -> None:
    found = translator(name)
    assert found is not None
    assert found.name == name
    assert found.stream_type == b"text/event-stream"


def test_a_format_that_nobody_speaks_is_none() -> None:
    assert translator("smoke-signals") is None


def test_names_are_unique() -> None:
    names = [each.name for each in TRANSLATORS]
    assert len(names) == len(set(names))
    assert {"openai-chat", "anthropic-messages"} <= DIALECTS.keys()

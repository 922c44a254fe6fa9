"""Without the SDKs the demo says how to get them."""

from __future__ import annotations

import sys

import pytest

from agent.cli.demo.clients import require_sdks
from agent.errors import ConfigError
from tests.fakes.command_line import Drawbridge


def test_a_missing_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(ConfigError, match="not installed: anthropic") as raised:
        require_sdks()
    assert "drawbridge-agent[demo]" in raised.value.hint()


def test_the_command_explains_it_and_starts_nothing(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    result = drawbridge("demo")
    assert result.exit_code == 1
    assert "not installed: openai" in result.stderr
    assert "pip install 'drawbridge-agent[demo]'" in result.stderr

"""Every setting, its value, and where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.command_line import Drawbridge


def test_each_setting_is_told_with_its_origin(drawbridge: Drawbridge, tmp_path: Path) -> None:
    settings = json.loads(drawbridge("config", "explain", "--json").stdout)
    assert settings["state_dir"] == {
        "value": f"{tmp_path}/state",
        "source": "environment",
        "place": "DRAWBRIDGE_STATE_DIR",
    }
    assert settings["resolve"]["value"] == []
    assert type(settings["proxy_port"]["value"]) is int


def test_people_see_names_with_brackets_as_they_are(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("DRAWBRIDGE_POLICY", "/etc/[red]policy.yaml")
    assert "/etc/[red]policy.yaml" in drawbridge("config", "explain").stdout


def test_a_bad_value_is_explained(drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAWBRIDGE_PROXY_PORT", "many")
    result = drawbridge("config", "explain")
    assert result.exit_code == 1
    assert "DRAWBRIDGE_PROXY_PORT" in result.stderr
    assert "Allowed: a port" in result.stderr

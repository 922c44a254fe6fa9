"""What a self-test tells of its trials, and with which exit status."""

from __future__ import annotations

import json

import pytest

from agent.cli.self_test import command
from agent.cli.self_test.trials import Outcome
from tests.fakes.command_line import Drawbridge

GOOD = Outcome(name="policy", ok=True, seconds=0.25, told="543 rules")
BAD = Outcome(name="files", ok=False, seconds=1.0, told="no such file: rules/[secrets].toml")


def test_a_whole_installation_ends_with_status_0(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "try_all", lambda: (GOOD,))
    result = drawbridge("self-test")
    assert result.exit_code == 0
    assert "543 rules" in result.stdout
    assert "0.25 s" in result.stdout


def test_one_trial_that_fails_is_shown_as_it_is_and_ends_with_status_1(
    drawbridge: Drawbridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "try_all", lambda: (GOOD, BAD))
    result = drawbridge("self-test")
    assert result.exit_code == 1
    assert "rules/[secrets].toml" in result.stdout
    told = json.loads(drawbridge("self-test", "--json").stdout)
    assert (told["ok"], [each["ok"] for each in told["trials"]]) == (False, [True, False])

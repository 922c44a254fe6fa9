"""What programs on this machine are to trust."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.host.authority import Authority
from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


def test_the_path_is_printed_alone(drawbridge: Drawbridge, paths: StatePaths) -> None:
    Authority.open(paths, frozenset({"api.openai.com"}))
    assert drawbridge("ca", "path").stdout == f"{paths.root_certificate}\n"


def test_the_root_and_the_hosts_it_may_sign_for_are_shown(drawbridge: Drawbridge, paths: StatePaths) -> None:
    authority = Authority.open(paths, frozenset({"api.openai.com", "*.example.com"}))
    facts = json.loads(drawbridge("ca", "show", "--json").stdout)
    assert facts["sha256"] == authority.fingerprint
    assert sorted(facts["may_sign_for"]) == ["api.openai.com", "example.com"]
    shown = drawbridge("ca", "show").stdout
    assert "api.openai.com" in shown
    assert "sha256" in shown


def test_before_the_first_start_there_is_none(drawbridge: Drawbridge) -> None:
    result = drawbridge("ca", "path")
    assert result.exit_code == 1
    assert "drawbridge up" in result.stderr


def test_a_damaged_root_is_explained(drawbridge: Drawbridge, paths: StatePaths) -> None:
    paths.root_certificate.write_text("no certificate")
    result = drawbridge("ca", "show")
    assert result.exit_code == 1
    assert "holds no certificate" in result.stderr

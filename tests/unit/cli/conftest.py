"""Fixtures: commands run in this process, on a state directory of their own, with nothing of the user's settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.command_line import Drawbridge


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("DRAWBRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DRAWBRIDGE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def drawbridge() -> Drawbridge:
    """Runs commands."""
    return Drawbridge()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with one detector, which is compiled in no time."""
    file = tmp_path / "policy.yaml"
    file.write_text(
        "schema_version: 1\n"
        "id: small\n"
        "guardrails:\n"
        "  - {id: names, detect: [custom], action: block}\n"
        "detectors:\n"
        "  - {id: project, keywords: [Nightjar]}\n"
    )
    return file

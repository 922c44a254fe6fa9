"""A state directory that was removed, or replaced, is missed."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.paths import StatePaths
from agent.host.state_presence import StatePresence


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    paths.spool.touch()
    paths.root_certificate.touch()
    return paths


def test_it_is_there(paths: StatePaths) -> None:
    presence = StatePresence(paths)
    assert not presence.lost()
    paths.company_certificate.touch()
    paths.root_certificate.unlink()
    assert not presence.lost()


@pytest.mark.parametrize("name", ["ca/root.pem", "audit/spool.db"])
def test_what_matters_in_it_is_missed(paths: StatePaths, name: str) -> None:
    presence = StatePresence(paths)
    (paths.root / name).unlink()
    assert presence.lost()


def test_another_in_its_place_is_none(paths: StatePaths) -> None:
    presence = StatePresence(paths)
    paths.root.rename(paths.root.with_name("gone"))
    assert presence.lost()
    paths.prepare()
    paths.spool.touch()
    paths.root_certificate.touch()
    assert presence.lost()

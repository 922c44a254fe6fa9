"""What stays changed while the agent does not serve, as settings ask for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.host.authority import Authority
from agent.host.lasting import lasting_drivers, lasting_wanted, refresh_public
from agent.host.paths import StatePaths
from agent.host.settings import Settings
from agent.host.trust.files import PublicFiles
from agent.host.trust.stores import Machine
from tests.fakes.stores import debian


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made, _ = debian(tmp_path / "machine")
    monkeypatch.setattr(Machine, "this", classmethod(lambda _: made))
    return made


@pytest.fixture
def state(tmp_path: Path) -> StatePaths:
    found = StatePaths.under(tmp_path / "state")
    found.prepare()
    return found


def kinds(machine: Machine, state: StatePaths, **given: str) -> set[str]:
    settings = Settings(state_dir=state.root, **given)  # type: ignore[arg-type]
    return {each.kind for each in lasting_wanted(settings, state, machine.setup)}


def test_settings_that_ask_for_nothing_lasting_need_no_authority(machine: Machine, state: StatePaths) -> None:
    assert kinds(machine, state) == kinds(machine, state, manage_proxy="pac") == set()


def test_variables_for_all_users_publish_the_files_that_they_name(
    machine: Machine, state: StatePaths
) -> None:
    Authority.open(state, frozenset({"api.openai.com"}))
    assert kinds(machine, state, manage_environment="all") == {PublicFiles.kind}
    assert kinds(machine, state, manage_trust="os") > {PublicFiles.kind}


def test_before_the_first_start_there_is_nothing_to_trust(machine: Machine, state: StatePaths) -> None:
    with pytest.raises(ConfigError, match="no certificate authority"):
        kinds(machine, state, manage_trust="os")


def test_every_kind_that_may_be_wanted_can_be_undone(machine: Machine, state: StatePaths) -> None:
    Authority.open(state, frozenset({"api.openai.com"}))
    known = {each.kind for each in lasting_drivers(machine.setup)}
    assert kinds(machine, state, manage_trust="os", manage_environment="all") <= known


def test_the_bundle_for_everybody_follows_the_systems_roots(machine: Machine, state: StatePaths) -> None:
    Authority.open(state, frozenset({"api.openai.com"}))
    settings = Settings(state_dir=state.root, manage_environment="all")
    files = PublicFiles(machine.public, machine.store)
    refresh_public(machine.setup)
    assert not files.bundle.exists()
    for each in lasting_wanted(settings, state, machine.setup):
        files.write(each.scope, each.value)
    files.bundle.unlink()
    refresh_public(machine.setup)
    assert files.bundle.read_bytes().count(b"BEGIN CERTIFICATE") == 2  # the system's, and ours

"""A command that names no policy is about the one that is in force."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli.console import settings_from
from agent.cli.policy_in_force import policy_in_force
from agent.host.paths import StatePaths, bundled_policies
from agent.host.runfile import RunFile, StateLock, write_runfile
from agent.host.settings import Origin, Settings, Source

GIVEN = Path("/given/policy.yaml")
SAID = Path("/said/policy.yaml")


@pytest.fixture
def settings() -> Settings:
    return settings_from()


@pytest.fixture
def running(settings: Settings) -> Iterator[None]:
    """An agent that was started with a policy of its own."""
    paths = StatePaths.under(settings.state_dir)
    paths.prepare()
    with StateLock(paths):
        write_runfile(
            paths,
            RunFile(
                pid=os.getpid(),
                proxy_port=1,
                gateway_port=2,
                started_at=3.0,
                state_dir=str(paths.root),
                ca_path="",
                version="1",
                policy=str(GIVEN),
            ),
        )
        yield


def said_by(settings: Settings, source: Source) -> Settings:
    return replace(settings, policy=SAID, origins={**settings.origins, "policy": Origin(source=source)})


def test_without_an_agent_it_is_what_the_settings_say(settings: Settings) -> None:
    assert policy_in_force(settings) == bundled_policies() / "default"
    assert policy_in_force(said_by(settings, Source.FILE)) == SAID


@pytest.mark.usefixtures("running")
def test_a_running_agent_may_have_one_of_its_own(settings: Settings) -> None:
    assert policy_in_force(settings) == GIVEN
    assert policy_in_force(said_by(settings, Source.FILE)) == GIVEN


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("source", [Source.MANAGED, Source.ENVIRONMENT])
def test_device_management_and_the_own_environment_stand_above_it(settings: Settings, source: Source) -> None:
    assert policy_in_force(said_by(settings, source)) == SAID


@pytest.mark.usefixtures("running")
def test_one_that_is_named_is_the_one(settings: Settings, tmp_path: Path) -> None:
    assert policy_in_force(settings, tmp_path) == tmp_path

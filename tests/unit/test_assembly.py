"""What an agent and a node share is built, reloaded and stopped as one."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.assembly import Assembly, base_url_connection, policy_given
from agent.errors import ConfigError
from agent.host.paths import StatePaths
from agent.host.settings import Origin, Settings, Source
from agent.policy import Policy

SMALL = "schema_version: 1\nid: {name}\n"


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> None:
    """Not asked here: before it serves, an assembly reads and writes its files on the loop."""


@pytest.fixture
async def assembly(tmp_path: Path) -> AsyncIterator[Assembly]:
    """One under a small policy that no other than `first` and `second` may follow."""
    (tmp_path / "policy.yaml").write_text(SMALL.format(name="first"))
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()

    def accept(policy: Policy) -> None:
        if policy.id not in ("first", "second"):
            raise ConfigError("not here")

    settings = Settings(state_dir=paths.root, policy=tmp_path / "policy.yaml")
    made = Assembly(settings, paths, accept=accept, token="token-1")
    yield made
    await made.aclose("the end")


def ask(port: int) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/-/status", headers={"authorization": "Bearer token-1"})
        found: dict[str, object] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return found


async def test_it_serves_its_pages_under_the_token_it_was_given(assembly: Assembly) -> None:
    server = await assembly.start(lambda: {"more": 7})
    port = await server.listen("127.0.0.1", 0, base_url_connection)
    told = await asyncio.to_thread(ask, port)
    server.close()
    assert (told["more"], told["policy"]["id"]) == (7, "first")  # type: ignore[index]


async def test_a_policy_that_is_not_accepted_leaves_the_one_in_force(
    assembly: Assembly, tmp_path: Path
) -> None:
    await assembly.start(dict)
    (tmp_path / "policy.yaml").write_text(SMALL.format(name="third"))
    assert not await assembly.reload()
    assert assembly.policy.rules.policy.id == "first"
    (tmp_path / "policy.yaml").write_text(SMALL.format(name="second"))
    assert await assembly.reload()
    assert assembly.policy.rules.policy.id == "second"


@pytest.mark.parametrize(
    ("source", "given"),
    [
        (Source.MANAGED, ""),
        (Source.COMMAND_LINE, "/a.yaml"),
        (Source.ENVIRONMENT, "/a.yaml"),
        (Source.FILE, ""),
        (Source.DEFAULT, ""),
    ],
)
def test_a_policy_is_given_where_option_or_environment_say_it(source: Source, given: str) -> None:
    policy, origins = Path("/a.yaml"), {"policy": Origin(source=source)}
    assert policy_given(Settings(state_dir=Path("/s"), policy=policy, origins=origins)) == given

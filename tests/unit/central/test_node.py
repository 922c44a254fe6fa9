"""One process of a node: it serves, says how it is, and ends in order. With workers: tests/integration/test_node.py."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.central.node import Node
from agent.central.orders import Address, Orders
from agent.errors import ConfigError
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, control_token, read_runfile
from agent.host.settings import Settings


@pytest.fixture(autouse=True)
def _nothing_blocks_the_event_loop() -> None:
    """Not asked here: before it serves, a node reads and writes its files on the loop."""


@dataclass(slots=True, kw_only=True)
class Running:
    """A node on this loop."""

    node: Node
    paths: StatePaths
    port: int
    loopback_port: int
    task: asyncio.Task[None]

    async def ask(self, path: str, *, owner: bool = False, port: int = 0) -> tuple[int, str]:
        """Status and body of a page."""
        token = control_token(self.paths) if owner else ""
        return await asyncio.to_thread(fetch, f"http://127.0.0.1:{port or self.port}{path}", token)


def fetch(url: str, token: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def settings(tmp_path: Path) -> Settings:
    (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: small\n")
    return Settings(state_dir=tmp_path / "state", policy=tmp_path / "policy.yaml")


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """One that drains for 0.3 s."""
    ready: asyncio.Future[tuple[RunFile, int]] = asyncio.get_running_loop().create_future()
    orders = Orders(listen=Address(host="127.0.0.1", port=0), drain_seconds=0.3)
    made = settings(tmp_path)
    node = Node(made, orders, on_ready=lambda *found: ready.set_result(found))
    task = asyncio.create_task(node.run())
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    runfile, port = await ready
    paths = StatePaths.under(made.state_dir)
    yield Running(node=node, paths=paths, port=port, loopback_port=runfile.gateway_port, task=task)
    node.stop()
    node.stop()
    await task


async def test_it_is_found_and_tells_how_it_is(running: Running) -> None:
    assert await running.ask("/healthz") == (200, "ok\n")
    assert await running.ask("/readyz") == (200, "ready\n")
    found = read_runfile(running.paths)
    assert found is not None
    assert found.gateway_port == running.loopback_port
    status, text = await running.ask("/-/status", owner=True, port=running.loopback_port)
    told = json.loads(text)
    assert (status, told["policy"]["id"], told["worker"], told["draining"]) == (200, "small", None, False)
    assert (await running.ask("/-/status"))[0] == 401
    assert (await running.ask("/metrics", owner=True))[0] == 200


async def test_a_drain_is_said_before_the_listener_closes(running: Running) -> None:
    assert await running.ask("/-/drain", owner=True) == (202, "draining\n")
    assert await running.ask("/readyz") == (503, "draining\n")
    async with asyncio.timeout(5):
        await running.task
    with pytest.raises(urllib.error.URLError):
        await running.ask("/healthz")
    assert read_runfile(running.paths) is None


async def test_what_breaks_the_terms_does_not_start(tmp_path: Path) -> None:
    node = Node(settings(tmp_path), Orders(listen=Address(host="0.0.0.0", port=0)))
    with pytest.raises(ConfigError, match="has no 'accounts'"):
        await node.run()

"""The cache of answers from the command line, beside a running agent or without one."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from agent.caching.ports import Record
from agent.caching.sqlite import SqliteStore
from agent.host.paths import StatePaths
from tests.fakes.command_line import Drawbridge


async def fill(path: Path, now: float) -> None:
    store = SqliteStore(path, max_entries=10, max_bytes=2**20)
    await store.open()
    for number, owner in enumerate(("vk-1", "vk-1", "vk-2")):
        key = bytes([number]) * 32
        at = now - 7200 * (number + 1)
        await store.put(Record(key=key, body=b"x" * 2000, owner=owner, stored_at=at, expires_at=now + 600))
    await store.close()


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    return paths


@pytest.fixture
def filled(paths: StatePaths) -> StatePaths:
    asyncio.run(fill(paths.answers, time.time()))
    return paths


@pytest.mark.usefixtures("filled")
def test_what_is_kept_is_counted(drawbridge: Drawbridge) -> None:
    assert drawbridge("cache", "stats").stdout == "3 answers, 6 KiB, the oldest 6 hours old\n"
    facts = json.loads(drawbridge("cache", "stats", "--json").stdout)
    assert (facts["entries"], facts["expired"]) == (3, 0)


@pytest.mark.usefixtures("filled")
def test_answers_to_one_key_or_all_are_forgotten(drawbridge: Drawbridge) -> None:
    assert drawbridge("cache", "clear", "--key", "vk-1").stdout == "ok 2 answers to vk-1 are forgotten\n"
    assert json.loads(drawbridge("cache", "clear", "--json").stdout) == {"cleared": 1}
    assert drawbridge("cache", "stats").stdout == "The cache is empty.\n"


def test_without_a_cache_nothing_is_made(drawbridge: Drawbridge, paths: StatePaths) -> None:
    assert drawbridge("cache", "stats").stdout == "The cache is empty.\n"
    assert drawbridge("cache", "clear").stdout == "ok 0 answers are forgotten\n"
    assert not paths.answers.exists()

"""What the tests of accounts share: stores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import fakeredis
import pytest
import redis.asyncio

from agent.accounts.fleet import FleetStore
from agent.accounts.local import LocalStore
from agent.accounts.store import AccountStore
from tests.fakes.accounts import NOW, redis_binary, redis_server


@pytest.fixture(scope="session")
def real_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a real server."""
    if redis_binary() is None:
        pytest.skip("neither valkey-server nor redis-server is on PATH")
    with ExitStack() as stack:
        yield stack.enter_context(redis_server(tmp_path_factory.mktemp("redis")))


@pytest.fixture(scope="session")
def _fakeredis_has_read_its_tables() -> None:
    """It reads them from the disk when the first client connects, which must not happen on the event loop."""
    fakeredis.FakeRedis().ping()


@pytest.fixture(params=["sqlite", "fakeredis", "redis"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, _fakeredis_has_read_its_tables: None
) -> AsyncIterator[AccountStore]:
    """Every store in turn, empty, at NOW."""
    store: AccountStore
    if request.param == "sqlite":
        store = LocalStore(tmp_path / "accounts" / "accounts.db", clock=lambda: NOW)
    elif request.param == "fakeredis":
        client = fakeredis.FakeAsyncRedis(decode_responses=True)
        store = FleetStore(client, server_time=False, offline_seconds=0, clock=lambda: NOW)
    else:
        socket = request.getfixturevalue("real_redis")
        client = redis.asyncio.Redis(unix_socket_path=str(socket), decode_responses=True)
        await client.flushall()
        store = FleetStore(client, server_time=False, offline_seconds=0, clock=lambda: NOW)
    await store.open()
    yield store
    await store.close()

"""The store of many machines: the contract, on a server that is none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import fakeredis
import pytest
from redis.exceptions import ConnectionError as NoConnection

from agent.caching.ports import Store
from agent.caching.valkey import PREFIX, ValkeyStore, connect
from agent.errors import CacheError
from tests.fakes.answer_stores import Clock, StoreContract, name, record


@pytest.fixture(scope="module", autouse=True)
def _read_from_the_disk_once() -> None:
    """The fake looks up the version of its library, once, and nothing may block in the tests."""
    fakeredis.FakeRedis().ping()


class TestValkey(StoreContract):
    @pytest.fixture
    def server(self) -> fakeredis.FakeServer:
        return fakeredis.FakeServer()

    @pytest.fixture
    async def store(self, server: fakeredis.FakeServer, clock: Clock) -> AsyncIterator[Store]:  # type: ignore[override]
        store = ValkeyStore(fakeredis.FakeAsyncRedis(server=server), max_entries=3, clock=clock)
        await store.open()
        yield store
        await store.close()

    async def test_it_touches_nothing_else(self, store: Store, server: fakeredis.FakeServer) -> None:
        beside = fakeredis.FakeAsyncRedis(server=server)
        await beside.set("mine", "1")
        await store.put(record("a", owner="vk", bucket="x"))
        assert all(key.startswith(PREFIX) for key in await beside.keys("*") if key != b"mine")
        await store.clear()
        assert await beside.keys("*") == [b"mine"]
        await beside.aclose()


async def test_two_machines_share_entries() -> None:
    clock, server = Clock(), fakeredis.FakeServer()
    one = ValkeyStore(fakeredis.FakeAsyncRedis(server=server), max_entries=9, clock=clock)
    other = ValkeyStore(fakeredis.FakeAsyncRedis(server=server), max_entries=9, clock=clock)
    await one.put(record("a", bucket="x"))
    assert await other.get(name("a")) is not None
    assert await other.members(name("x")) == (name("a"),)
    await one.close()
    await other.close()


async def test_a_server_that_is_away_is_told_without_content() -> None:
    server = fakeredis.FakeServer()
    store = ValkeyStore(fakeredis.FakeAsyncRedis(server=server), max_entries=9)
    server.connected = False
    with pytest.raises(CacheError, match=NoConnection.__name__) as caught:
        await store.put(record("a", body=b"content"))
    assert "content" not in str(caught.value)
    await store.close()


def test_a_client_is_made_without_connecting() -> None:
    client = connect("rediss://cache.example:6380/2", username="u", password="p")
    arguments = client.connection_pool.connection_kwargs
    assert (arguments["host"], arguments["port"], arguments["db"]) == ("cache.example", 6380, 2)
    assert (arguments["username"], arguments["password"]) == ("u", "p")

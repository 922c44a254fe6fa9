"""Which connection a request gets, and how many there are."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest

from agent.gateway.transport.base import FailureKind, TransportConfig, TransportError
from agent.gateway.transport.connection import Connection
from agent.gateway.transport.dial import Origin
from agent.gateway.transport.pool import Pool
from agent.host.tasks import TaskGroup
from tests.fakes.http_server import Clock, Peer, RawServer

GET = b"GET / HTTP/1.1\r\nhost: a.test\r\n\r\n"


async def answering(peer: Peer) -> None:
    while True:
        await peer.request()
        await peer.answer()


async def waiting(peer: Peer) -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer(answering) as made:
        yield made


class Pools:
    """Makes pools towards one server."""

    def __init__(self, context: ssl.SSLContext, origin: Origin) -> None:
        self._context = context
        self.origin = origin
        self.made: list[Pool] = []

    def pool(self, **limits: float | None) -> Pool:
        self.made.append(Pool(TransportConfig(**limits), self._context, TaskGroup("test")))
        return self.made[-1]


@pytest.fixture
async def pools(server: RawServer, trusting: ssl.SSLContext) -> AsyncIterator[Pools]:
    made = Pools(trusting, ("127.0.0.1", server.port, False))
    yield made
    for pool in made.made:
        await pool.aclose()


async def use(connection: Connection) -> None:
    parser = connection.begin(b"GET")
    connection.write(GET)
    while not parser.complete:
        await connection.progress(parser)


async def test_the_connection_used_last_is_used_next(pools: Pools) -> None:
    pool = pools.pool()
    first, second = [await pool.take(pools.origin) for _ in range(2)]
    await use(first)
    await use(second)
    assert await pool.take(pools.origin) is second
    assert await pool.take(pools.origin) is first


async def test_a_fresh_one_can_be_asked_for(pools: Pools) -> None:
    pool = pools.pool()
    first = await pool.take(pools.origin)
    await use(first)
    assert await pool.take(pools.origin, fresh=True) is not first


async def test_origins_do_not_share(pools: Pools) -> None:
    pool = pools.pool()
    first = await pool.take(pools.origin)
    await use(first)
    _, port, tls = pools.origin
    assert await pool.take(("localhost", port, tls)) is not first


async def test_no_more_are_kept_than_allowed(pools: Pools) -> None:
    pool = pools.pool(max_idle=1)
    taken = [await pool.take(pools.origin) for _ in range(3)]
    for connection in taken:
        await use(connection)
    assert await pool.take(pools.origin) is taken[0]
    assert await pool.take(pools.origin) not in taken
    assert [connection.lost for connection in taken] == [False, True, True]


async def test_an_old_connection_is_closed_without_anyone_asking(pools: Pools, clock: Clock) -> None:
    pool = pools.pool(idle_timeout=20)
    first, second = [await pool.take(pools.origin) for _ in range(2)]
    await use(first)
    await clock.advance(15)
    await use(second)
    await clock.advance(10)
    assert (first.lost, second.lost) == (True, False)
    await clock.advance(20)
    assert second.lost


async def test_an_old_connection_is_not_used(pools: Pools, clock: Clock) -> None:
    pool = pools.pool(idle_timeout=20)
    first, second = [await pool.take(pools.origin) for _ in range(2)]
    await use(first)
    await clock.advance(15)
    await use(second)
    await clock.advance(21)
    assert await pool.take(pools.origin) not in (first, second)


async def test_a_connection_that_the_server_closed_is_not_used(pools: Pools, server: RawServer) -> None:
    pool = pools.pool()
    first = await pool.take(pools.origin)
    await use(first)
    server.peers[0].writer.close()
    while not first.lost:
        await asyncio.sleep(0)
    assert await pool.take(pools.origin) is not first


async def test_where_connections_are_limited_the_next_waits_its_turn(pools: Pools) -> None:
    pool = pools.pool(max_connections=2)
    first, second = [await pool.take(pools.origin) for _ in range(2)]
    waiting = [asyncio.create_task(pool.take(pools.origin)) for _ in range(3)]
    await asyncio.sleep(0.005)
    assert not any(task.done() for task in waiting)

    await use(first)
    assert await waiting[0] is first
    waiting[1].cancel()
    second.abort()
    assert await waiting[2] not in (first, second)


async def test_a_place_granted_to_one_who_has_left_passes_on(pools: Pools) -> None:
    pool = pools.pool(max_connections=1)
    first = await pool.take(pools.origin)
    leaver, heir = [asyncio.create_task(pool.take(pools.origin)) for _ in range(2)]
    await asyncio.sleep(0.005)
    first.abort()
    asyncio.get_running_loop().call_soon(leaver.cancel)  # after the grant, before the leaver knows of it
    assert await heir is not first
    assert leaver.cancelled()


async def test_the_wait_for_a_place_ends(pools: Pools, clock: Clock) -> None:
    pool = pools.pool(max_connections=1, connect_timeout=10)
    first = await pool.take(pools.origin)
    waiting = asyncio.create_task(pool.take(pools.origin))
    await asyncio.sleep(0)
    await clock.advance(11)
    with pytest.raises(TransportError) as caught:
        await waiting
    assert (caught.value.kind, caught.value.sent) == (FailureKind.TIMEOUT, False)
    await use(first)
    assert await pool.take(pools.origin) is first


async def test_a_failed_connection_gives_its_place_back(pools: Pools) -> None:
    pool = pools.pool(max_connections=1)
    nowhere = ("127.0.0.1", 1, False)
    for _ in range(2):
        with pytest.raises(TransportError) as caught:
            await pool.take(nowhere)
        assert caught.value.kind is FailureKind.CONNECT


async def test_closing_ends_idle_connections_and_those_in_use(pools: Pools) -> None:
    pool = pools.pool()
    idle, busy = [await pool.take(pools.origin) for _ in range(2)]
    await use(idle)
    await pool.aclose()
    assert idle.lost
    assert busy.lost
    with pytest.raises(TransportError):
        await pool.take(pools.origin)


async def test_dropping_idle_ones_spares_those_in_use(pools: Pools) -> None:
    pool = pools.pool()
    idle, busy = [await pool.take(pools.origin) for _ in range(2)]
    await use(idle)
    pool.drop_idle()
    await use(busy)
    assert await pool.take(pools.origin) is busy


async def test_a_connection_that_opens_after_closing_is_not_kept(trusting: ssl.SSLContext) -> None:
    async with RawServer(waiting) as server:
        pool = Pool(TransportConfig(), trusting, TaskGroup("test"))
        opening = asyncio.create_task(pool.take(("127.0.0.1", server.port, False)))
        await asyncio.sleep(0)
        await pool.aclose()
        with pytest.raises(TransportError):
            await opening
        while not server.peers:
            await asyncio.sleep(0)
        assert await server.peers[0].reader.read() == b""

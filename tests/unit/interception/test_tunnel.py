"""Blind tunnels: bytes both ways, whoever is slow, whoever leaves first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from agent.interception.tunnel import Pipe
from tests.fakes.loopback import End, pair, until


class Tunnel:
    """Client ⇄ (near pipe, far pipe) ⇄ origin, all on loopback."""

    def __init__(self, client: End, near: Pipe, far: Pipe, origin: End) -> None:
        self.client, self.near, self.far, self.origin = client, near, far, origin


@pytest.fixture
async def tunnel() -> AsyncIterator[Tunnel]:
    client, near = await pair(Pipe)
    origin, far = await pair(Pipe)
    near.join(far)
    yield Tunnel(client, near, far, origin)
    for end in (client, origin):
        end.close()
    for pipe in (near, far):
        pipe.close()
    await asyncio.sleep(0)


def closed(pipe: Pipe) -> Callable[[], bool]:
    """Whether the pipe's socket is gone."""
    return lambda: pipe.lost


async def test_bytes_go_both_ways_unchanged(tunnel: Tunnel) -> None:
    await tunnel.client.send(b"\x16\x03hello")
    assert await tunnel.origin.read() == b"\x16\x03hello"
    await tunnel.origin.send(b"\x00\xff")
    assert await tunnel.client.read() == b"\x00\xff"


async def test_a_large_transfer_arrives_whole_and_in_order(tunnel: Tunnel) -> None:
    data = bytes(range(256)) * 8192
    sending = asyncio.create_task(tunnel.client.send(data, end=True))
    assert await tunnel.origin.all() == data
    await sending


async def test_a_slow_reader_slows_the_writer_down(tunnel: Tunnel) -> None:
    """Nothing piles up in the tunnel: sooner or later the sender's own socket is full."""
    sent = await tunnel.client.flood(0.08)
    assert 0 < sent < 64 * 1024 * 1024
    received = len(await tunnel.origin.read())
    while received < sent:
        received += len(await tunnel.origin.read())
    await tunnel.client.send(b"more")  # and it goes on
    assert sent <= received <= sent + 4


async def test_half_a_close_leaves_the_other_direction_open(tunnel: Tunnel) -> None:
    await tunnel.client.send(b"request", end=True)
    assert await tunnel.origin.all() == b"request"
    await tunnel.origin.send(b"a late answer")
    assert await tunnel.client.read() == b"a late answer"


async def test_two_halves_make_a_whole_close(tunnel: Tunnel) -> None:
    await tunnel.client.send(b"", end=True)
    assert await tunnel.origin.all() == b""
    await tunnel.origin.send(b"bye", end=True)
    assert await tunnel.client.all() == b"bye"
    await until(closed(tunnel.near), closed(tunnel.far))


async def test_the_origin_may_end_first(tunnel: Tunnel) -> None:
    await tunnel.origin.send(b"bye", end=True)
    assert await tunnel.client.all() == b"bye"
    await tunnel.client.send(b"thanks", end=True)
    assert await tunnel.origin.all() == b"thanks"
    await until(closed(tunnel.near), closed(tunnel.far))


@pytest.mark.parametrize("leaver", ["client", "origin"])
async def test_when_one_side_is_gone_so_is_the_other(tunnel: Tunnel, leaver: str) -> None:
    left, stays = (tunnel.client, tunnel.origin) if leaver == "client" else (tunnel.origin, tunnel.client)
    left.reset()
    assert await stays.all() == b""
    await until(closed(tunnel.near), closed(tunnel.far))


async def test_what_arrives_before_the_ends_are_joined_waits_in_order() -> None:
    client, near = await pair(Pipe)
    origin, far = await pair(Pipe)
    await client.send(b"one ")
    await asyncio.sleep(0.01)
    assert not near.joined
    near.join(far)
    await client.send(b"two", end=True)
    assert await origin.all() == b"one two"
    origin.writer.close()
    await until(closed(near), closed(far))
    client.writer.close()


async def test_an_end_that_floods_before_it_is_joined_is_not_read_any_further() -> None:
    client, near = await pair(Pipe)
    await client.flood(0.08)
    origin, far = await pair(Pipe)
    near.join(far)
    assert await origin.read()
    for end in (client, origin):
        end.close()
    await until(closed(near), closed(far))


async def test_an_end_that_spoke_and_left_before_it_is_joined_is_heard() -> None:
    client, near = await pair(Pipe)
    origin, far = await pair(Pipe)
    await origin.send(b"last words")
    origin.writer.close()
    await asyncio.sleep(0.01)
    near.join(far)
    assert await client.all() == b"last words"
    client.close()
    await until(closed(near), closed(far))


async def test_an_end_that_was_lost_before_it_is_joined_closes_the_other() -> None:
    client, near = await pair(Pipe)
    origin, far = await pair(Pipe)
    origin.reset()
    await until(closed(far))
    near.join(far)
    assert await client.all() == b""
    await until(closed(near))
    client.close()

"""The client's side of one exchange."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from agent.gateway.wire import BodyTooLarge, ClientGone, Wire
from tests.fakes.upstream import FakeClient


def wire(client: FakeClient) -> Wire:
    return Wire(client.receive, client.send)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"", b"bc"], [b""], [b"", b""]])
async def test_a_body_is_read_whole(pieces: list[bytes]) -> None:
    made = wire(FakeClient(pieces))
    assert await made.body(limit=3, announced=None) == b"".join(pieces)
    assert made.bytes_in == len(b"".join(pieces))


async def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    made = wire(FakeClient(b"abc"))
    with pytest.raises(BodyTooLarge):
        await made.body(limit=2, announced=3)
    assert made.bytes_in == 0


async def test_a_body_that_turns_out_too_large_is_given_up() -> None:
    made = wire(FakeClient([b"ab", b"cd", b"ef"]))
    with pytest.raises(BodyTooLarge):
        await made.body(limit=3, announced=None)
    assert made.bytes_in == 4


async def test_a_client_that_leaves_within_its_body_is_gone() -> None:
    client = FakeClient([b"ab", b"cd"])
    made = wire(client)
    chunks = made.chunks()
    assert await anext(chunks) == b"ab"
    client.leaves = True
    with pytest.raises(ClientGone):
        await anext(chunks)


async def test_an_answer_is_written_in_pieces_and_counted() -> None:
    client = FakeClient()
    made = wire(client)
    assert not made.started
    await made.start(201, [(b"a", b"b")])
    await made.write(b"one")
    assert (made.started, made.finished) == (True, False)
    await made.finish(b"two")
    assert (client.status, client.headers, client.body) == (201, ((b"a", b"b"),), b"onetwo")
    assert (made.finished, client.finished, made.bytes_out) == (True, True, 6)


async def test_a_whole_answer_has_its_own_length_and_leaves_in_one_piece() -> None:
    client = FakeClient()
    together: list[str] = []

    @contextmanager
    def in_one_piece() -> Iterator[None]:
        together.append("begin")
        yield
        together.append(f"end {client.finished}")

    made = Wire(client.receive, client.send, in_one_piece)
    await made.answer(400, [(b"content-length", b"99"), (b"x", b"y")], b"no")
    assert client.headers == ((b"x", b"y"), (b"content-length", b"2"))
    assert client.body == b"no"
    assert together == ["begin", "end True"]

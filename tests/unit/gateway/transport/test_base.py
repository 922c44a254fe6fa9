"""What every transport promises (`base.Transport`), asked of each over plain TCP and TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from agent.gateway.transport.base import (
    FailureKind,
    Transport,
    TransportConfig,
    TransportError,
    UpstreamRequest,
)
from tests.fakes.http_server import Peer, RawServer, ReceivedRequest
from tests.unit.gateway.transport.exchanges import (
    Build,
    Serve,
    failure,
    get,
    over_both,
    pieces,
    post,
    read,
    saying,
)

# Requests and answers


@over_both
async def test_a_request_arrives_as_it_was_given(serve: Serve, transport: Transport) -> None:
    seen: list[ReceivedRequest] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.answer()

    headers = ((b"host", b"upstream.test"), (b"x-two", b"1"), (b"x-utf8", "é".encode()), (b"x-two", b"2"))
    request = UpstreamRequest(
        method=b"POST", target=b"/a//%2F?b=%20&c=d?e", headers=headers, body=b'{"a": 1}'
    )
    async with serve(script) as server:
        response = await transport.send(server.target(), request)
        await read(response)

    assert seen[0].line == b"POST /a//%2F?b=%20&c=d?e HTTP/1.1"
    assert sorted((name.lower(), value) for name, value in seen[0].headers) == sorted(
        (*headers, (b"content-length", b"8"))
    )
    assert seen[0].body == b'{"a": 1}'


async def test_an_answer_is_reported_as_it_came(serve: Serve, transport: Transport) -> None:
    answer = (
        b"HTTP/1.1 418 I'm a teapot\r\n"
        b"Set-Cookie: a=1\r\nX-A:  b \r\nset-cookie: b=2\r\ncontent-length: 4\r\n\r\npour"
    )
    async with serve(saying(answer)) as server:
        response = await transport.send(server.target(), get())

        assert (response.status, response.reason, response.http_version) == (418, b"I'm a teapot", "1.1")
        assert response.headers == (
            (b"set-cookie", b"a=1"),
            (b"x-a", b"b"),
            (b"set-cookie", b"b=2"),
            (b"content-length", b"4"),
        )
        assert await read(response) == b"pour"
        assert await read(response) == b""


async def test_content_codings_cookies_and_redirects_are_left_to_the_client(
    serve: Serve, kind: str, build: Build
) -> None:
    seen: list[ReceivedRequest] = []

    async def script(peer: Peer) -> None:
        while True:
            seen.append(await peer.request())
            await peer.answer(
                b"no gzip", b"302 Found", b"location: /b", b"set-cookie: a=1", b"content-encoding: gzip"
            )

    async with serve(script) as server:
        # a name, for cookie jars do not mind addresses
        transport = build(kind, resolve={("upstream.test", server.port): ("127.0.0.1", server.port)})
        for _ in range(2):
            response = await transport.send(server.target("upstream.test"), get())
            assert (response.status, await read(response)) == (302, b"no gzip")

    assert [request.header(b"cookie") for request in seen] == [None, None]


@pytest.mark.parametrize(
    ("method", "answer", "body"),
    [
        (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"GET", b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\ncontent-length: 9\r\n\r\n', b""),
        (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b""),
        (b"GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", b"ok"),
        (
            b"GET",
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"",
        ),
        (
            b"GET",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nx-sum: 1\r\n\r\n",
            b"ok",
        ),
    ],
    ids=["empty", "204", "304", "head", "100", "103", "chunked"],
)
async def test_the_connection_is_kept_after_an_answer_with_a_known_end(
    serve: Serve, transport: Transport, method: bytes, answer: bytes, body: bytes
) -> None:
    async with serve(saying(answer)) as server:
        for _ in range(3):
            response = await transport.send(server.target(), get(method=method))
            assert await read(response) == body
            assert response.status != 103
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    ],
    ids=["close-delimited", "http/1.0", "connection-close"],
)
async def test_the_connection_ends_where_the_server_says_so(
    serve: Serve, transport: Transport, answer: bytes
) -> None:
    async with serve(saying(answer, keep=False)) as server:
        for _ in range(2):
            assert await read(await transport.send(server.target(), get())) == b"ok"
        assert server.connections == 2


async def test_twenty_requests_at_a_time_get_their_own_answers(serve: Serve, transport: Transport) -> None:
    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            await asyncio.sleep(0)
            await peer.answer(request.line.split()[1])

    async with serve(script) as server:

        async def ask(number: int) -> bytes:
            return await read(await transport.send(server.target(), get(b"/%d" % number)))

        for _ in range(2):
            assert await asyncio.gather(*map(ask, range(20))) == [b"/%d" % number for number in range(20)]
        assert server.connections == 20


async def test_a_connection_passes_from_task_to_task_without_mixing_answers(
    serve: Serve, transport: Transport
) -> None:
    async def script(peer: Peer) -> None:
        while True:
            await peer.answer((await peer.request()).body)

    async with serve(script) as server:

        async def worker(name: bytes) -> None:
            for number in range(15):
                said = b"%b %d" % (name, number)
                assert await read(await transport.send(server.target(), post(said))) == said

        await asyncio.gather(*(worker(name) for name in (b"a", b"b", b"c", b"d")))
        assert server.connections <= 4


# Streaming


@over_both
async def test_a_chunk_arrives_before_the_next_is_sent(serve: Serve, transport: Transport) -> None:
    received = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await received.wait()
        await peer.send(b"6\r\nsecond\r\n0\r\n\r\n")

    async with serve(script) as server:
        response = await transport.send(server.target(), get())
        chunks = response.chunks()
        assert await anext(chunks) == b"first"
        received.set()
        assert await anext(chunks) == b"second"
        assert await anext(chunks, None) is None


@over_both
async def test_a_slow_consumer_stops_the_server(serve: Serve, transport: Transport) -> None:
    total = 64 * 2**20

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % total)
        while True:
            await peer.send(bytes(2**18))

    async with serve(script) as server:
        response = await transport.send(server.target(), get())
        sent = -1
        while server.peers[0].sent != sent:  # until it no longer gets rid of anything
            sent = server.peers[0].sent
            await asyncio.sleep(0.02)
        assert sent < total / 4
        await response.aclose()


@over_both
async def test_uploads_arrive_whole(serve: Serve, transport: Transport) -> None:
    async def script(peer: Peer) -> None:
        while True:
            request = await peer.request()
            await peer.answer(b"%d %d" % (len(request.body), request.body.count(b"x")))

    big = b"x" * 3_000_000
    async with serve(script) as server:
        for request in (post(big), post(pieces(big, b"", b"yy"), 3_000_002), post(pieces(b"xx", b"", b"yy"))):
            length = len(request.body) if isinstance(request.body, bytes) else request.content_length or 4
            answer = await read(await transport.send(server.target(), request))
            assert answer == b"%d %d" % (length, length if length == 3_000_000 else length - 2)
        assert server.connections == 1


@over_both
async def test_a_refusal_stops_a_large_upload(serve: Serve, transport: Transport) -> None:
    ended = asyncio.Event()
    taken = 0

    async def script(peer: Peer) -> None:
        await peer.head()
        await peer.answer(b"too large", b"413 Content Too Large")
        await peer.ended()
        ended.set()

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(65536)
            await asyncio.sleep(0)

    async with serve(script) as server:
        response = await transport.send(server.target(), post(endless()))
        assert (response.status, await read(response)) == (413, b"too large")
        async with asyncio.timeout(5):
            await ended.wait()
        before = taken
        await asyncio.sleep(0.02)
        assert taken == before


async def test_an_early_success_does_not_stop_the_upload(serve: Serve, transport: Transport) -> None:
    async def echo(peer: Peer) -> None:
        await peer.head()
        await peer.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while (line := await peer.reader.readline()) != b"0\r\n":
            await peer.send(line + await peer.reader.readexactly(int(line, 16) + 2))
        await peer.send(b"0\r\n\r\n")

    said: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        while word := await said.get():
            yield word

    async with serve(echo) as server:
        said.put_nowait(b"one")  # aiohttp sends the head with the first piece
        response = await transport.send(server.target(), post(body()))
        for word, following in ((b"one", b"two"), (b"two", b"three"), (b"three", b"")):
            assert await anext(response.chunks()) == word
            said.put_nowait(following)
        assert await read(response) == b""


@over_both
async def test_an_error_of_the_callers_body_reaches_the_caller(serve: Serve, transport: Transport) -> None:
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.ended()
        ended.set()

    async def broken() -> AsyncIterator[bytes]:
        yield b"begun"
        raise LookupError("the client went away")

    async with serve(script) as server:
        with pytest.raises(LookupError, match="went away"):
            await transport.send(server.target(), post(broken(), 100))
        async with asyncio.timeout(5):
            await ended.wait()


@pytest.mark.parametrize("length", [4, 6])
async def test_a_body_that_is_not_as_long_as_declared_is_not_completed(
    serve: Serve, transport: Transport, length: int
) -> None:
    async with serve(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")) as server:
        error = await failure(transport, server.target(), post(pieces(b"12", b"345"), length))
        assert error.kind is FailureKind.PROTOCOL


# Cancelling and closing


@pytest.mark.parametrize("begun", [False, True])
@over_both
async def test_cancelling_ends_the_connection_at_once(
    serve: Serve, transport: Transport, begun: bool
) -> None:
    asked, ended = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        if begun:
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun")
        asked.set()
        await peer.ended()
        ended.set()

    async with serve(script) as server:

        async def exchange() -> None:
            await read(await transport.send(server.target(), post(b"x")))

        task = asyncio.create_task(exchange())
        await asked.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        async with asyncio.timeout(5):
            await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await task


@over_both
async def test_giving_up_an_answer_ends_the_connection(serve: Serve, transport: Transport) -> None:
    ended = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun")
        await peer.ended()
        ended.set()

    async with serve(script) as server:
        response = await transport.send(server.target(), get())
        await response.aclose()
        await response.aclose()
        async with asyncio.timeout(5):
            await ended.wait()


async def test_giving_up_a_complete_answer_keeps_the_connection(serve: Serve, transport: Transport) -> None:
    async with serve(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as server:
        for _ in range(2):
            response = await transport.send(server.target(), get())
            assert await anext(response.chunks()) == b"ok"  # all of it, but not yet its end
            await response.aclose()
        assert server.connections == 1


async def test_idle_connections_can_be_dropped(serve: Serve, transport: Transport) -> None:
    async with serve(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as server:
        await read(await transport.send(server.target(), get()))
        transport.drop_idle()
        await read(await transport.send(server.target(), get()))
        assert server.connections == 2


@over_both
async def test_dropping_idle_connections_spares_those_in_use(serve: Serve, transport: Transport) -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab")
        await go_on.wait()
        await peer.send(b"cd")

    async with serve(script) as server:
        response = await transport.send(server.target(), get())
        transport.drop_idle()
        go_on.set()
        assert await read(response) == b"abcd"


async def test_after_closing_nothing_is_sent(serve: Serve, transport: Transport) -> None:
    async with serve(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as server:
        await read(await transport.send(server.target(), get()))
        await transport.aclose()
        await transport.aclose()
        error = await failure(transport, server.target())
        assert (error.kind, error.sent, server.connections) == (FailureKind.CLOSED, False, 1)


# A kept connection that turns out to be dead


async def flaky(peer: Peer) -> None:
    """Answers the first request, then closes as a server does whose idle time is over just then."""
    await peer.request()
    await peer.answer()
    if peer.number == 0:
        await peer.request()
        peer.reset()
    else:
        await peer.request()
        await peer.answer(b"again")


@over_both
async def test_a_request_lost_on_a_kept_connection_is_sent_once_more(
    serve: Serve, transport: Transport
) -> None:
    async with serve(flaky) as server:
        await read(await transport.send(server.target(), post(b"1")))
        assert await read(await transport.send(server.target(), post(b"2"))) == b"ok"
        assert server.connections == 2


async def test_a_streamed_request_is_never_sent_again(serve: Serve, transport: Transport) -> None:
    async with serve(flaky) as server:
        await read(await transport.send(server.target(), post(b"1")))
        error = await failure(transport, server.target(), post(pieces(b"2"), 1))
        assert (error.kind, error.sent, server.connections) == (FailureKind.CLOSED, True, 1)


async def test_a_request_lost_on_a_new_connection_is_not_sent_again(
    serve: Serve, transport: Transport
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()

    async with serve(script) as server:
        error = await failure(transport, server.target(), post(b"1"))
        assert (error.kind, error.sent, server.connections) == (FailureKind.CLOSED, True, 1)


async def test_a_request_is_not_sent_a_third_time(serve: Serve, transport: Transport) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.answer()
            await peer.request()
        peer.reset()

    async with serve(script) as server:
        await read(await transport.send(server.target(), post(b"1")))
        assert (await failure(transport, server.target(), post(b"2"))).kind is FailureKind.CLOSED
        assert server.connections == 2


# Answers that break off, break the rules, or do not come


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc",
    ],
    ids=["length", "between-chunks", "within-chunk"],
)
@over_both
async def test_a_body_cut_short_is_an_error_after_its_pieces(
    serve: Serve, transport: Transport, begun: bytes
) -> None:
    async with serve(saying(begun, keep=False)) as server:
        response = await transport.send(server.target(), get())
        assert await anext(response.chunks()) == b"abc"
        with pytest.raises(TransportError) as caught:
            await read(response)
        assert (caught.value.kind, caught.value.sent) == (FailureKind.CLOSED, True)
        with pytest.raises(TransportError):  # and stays one: an end would look like success
            await anext(aiter(response))


@pytest.mark.parametrize(
    "answer",
    [
        b"\x15\x03\x01\x00\x02\x02\x28",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nab",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 20_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: x\r\n" * 50,
    ],
    ids=["tls", "ssh", "status", "header", "negative", "two-lengths", "coding", "101", "long", "many"],
)
async def test_an_impossible_head_is_refused(serve: Serve, kind: str, build: Build, answer: bytes) -> None:
    transport = build(kind, max_head=16_384, max_headers=40)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(answer)
        await peer.ended()

    async with serve(script) as server:
        error = await failure(transport, server.target())
        assert (error.kind, error.sent) == (FailureKind.PROTOCOL, True)
        assert "x" * 10 not in str(error)


async def test_bad_chunking_is_refused(serve: Serve, transport: Transport) -> None:
    answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\nNO\r\n"
    async with serve(saying(answer)) as server:
        assert (await failure(transport, server.target())).kind in (FailureKind.PROTOCOL, FailureKind.CLOSED)


@pytest.mark.parametrize(
    "both",
    [b"content-length: 2\r\ntransfer-encoding: chunked", b"transfer-encoding: chunked\r\ncontent-length: 2"],
)
async def test_two_framings_at_once_are_refused(serve: Serve, transport: Transport, both: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + both + b"\r\n\r\n2\r\nab\r\n0\r\n\r\n"
    async with serve(saying(answer)) as server:
        assert (await failure(transport, server.target())).kind is FailureKind.PROTOCOL


async def test_an_answer_that_does_not_come_is_not_waited_for(serve: Serve, kind: str, build: Build) -> None:
    transport = build(kind, head_timeout=0.05)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200")
        await peer.ended()

    async with serve(script) as server:
        error = await failure(transport, server.target())
        assert (error.kind, error.sent) == (FailureKind.TIMEOUT, True)


async def test_a_body_that_stalls_is_not_waited_for(serve: Serve, kind: str, build: Build) -> None:
    transport = build(kind, read_timeout=0.05)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na")
        await peer.ended()

    async with serve(script) as server:
        response = await transport.send(server.target(), get())
        assert await anext(aiter(response)) == b"a"
        with pytest.raises(TransportError) as caught:
            await anext(aiter(response))
        assert caught.value.kind is FailureKind.TIMEOUT


async def test_a_body_may_pause_for_longer_than_a_head_may_take(
    serve: Serve, kind: str, build: Build
) -> None:
    transport = build(kind, head_timeout=0.05)

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na")
        await asyncio.sleep(0.1)
        await peer.send(b"b")

    async with serve(script) as server:
        assert await read(await transport.send(server.target(), get())) == b"ab"


async def test_a_server_that_takes_no_request_is_not_waited_for(
    serve: Serve, kind: str, build: Build
) -> None:
    transport = build(kind, write_timeout=0.05)

    async def script(peer: Peer) -> None:
        peer.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with serve(script) as server:
        error = await failure(transport, server.target(), post(b"x" * 30_000_000))
        assert (error.kind, error.sent) == (FailureKind.TIMEOUT, True)


def test_credentials_of_the_proxy_stay_out_of_representations() -> None:
    secret = "hun" + "ter2"
    assert secret not in repr(TransportConfig(proxy_url=f"http://me:{secret}@proxy.test:3128"))


async def test_one_answer_is_not_read_by_two_tasks(build: Build) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
        await peer.ended()

    async with RawServer(script) as server:
        response = await build("http1").send(server.target(), get())
        first = asyncio.create_task(read(response))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError):
            await read(response)
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first

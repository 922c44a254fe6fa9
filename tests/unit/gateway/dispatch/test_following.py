"""Answers that are only promised at first: asked on for, failed over from, given up, and never followed astray."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from agent.gateway.dispatch import following
from agent.gateway.dispatch.following import Following
from agent.gateway.dispatch.ports import Follow, Prepared
from agent.gateway.transport.base import FailureKind, TransportError, UpstreamRequest, UpstreamResponse
from agent.model.traffic import Target
from agent.translation.replicate_predictions import ReplicatePredictions
from tests.fakes.upstream import SSE, FakeResponse, FakeTransport

HOME = Target(host="api.replicate.com")
REQUEST = UpstreamRequest(
    method=b"POST",
    target=b"/v1/models/meta/llama/predictions",
    headers=((b"host", b"api.replicate.com"), (b"authorization", b"Bearer k"), (b"content-type", b"x")),
    body=b"{}",
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PAUSES", (0.0,))


def prediction(status: str, **more: object) -> FakeResponse:
    place = "https://api.replicate.com/v1/predictions/p1"
    urls = {"get": place, "cancel": f"{place}/cancel", "stream": "https://stream.replicate.com/v1/p1?a=b"}
    return FakeResponse(orjson.dumps({"id": "p1", "status": status, "urls": urls, **more}), status=201)


def prepared(target: Target = HOME) -> Prepared:
    return Prepared(target=target, path=b"/v1", body=b"{}")


async def sent(transport: FakeTransport, *, stream: bool = False, target: Target = HOME) -> UpstreamResponse:
    spoken = ReplicatePredictions()
    follow = Follow(
        read=spoken.read_promise, source=spoken.stream_source, hosts=("*.replicate.com",), stream=stream
    )
    return await Following(transport).send(prepared(target), REQUEST, follow)


async def body(response: UpstreamResponse) -> bytes:
    return b"".join([piece async for piece in response])


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def paths(transport: FakeTransport) -> list[tuple[bytes, str, bytes]]:
    return [(each.request.method, each.target.host, each.request.target) for each in transport.asked]


async def test_an_answer_that_is_there_is_taken_as_it_is() -> None:
    transport = FakeTransport(prediction("succeeded", output="Hi"))
    response = await sent(transport)
    assert response.status == 200
    assert orjson.loads(await body(response))["output"] == "Hi"
    await response.aclose()
    assert len(transport.asked) == 1


async def test_a_job_is_looked_at_until_it_is_done() -> None:
    transport = FakeTransport(
        prediction("starting"), prediction("processing"), prediction("succeeded", output=["a"])
    )
    response = await sent(transport)
    assert (response.status, orjson.loads(await body(response))["output"]) == (200, ["a"])
    assert paths(transport)[1:] == [(b"GET", "api.replicate.com", b"/v1/predictions/p1")] * 2
    asked = transport.asked[1]
    assert (asked.header(b"authorization"), asked.header(b"host")) == (b"Bearer k", b"api.replicate.com")
    assert asked.header(b"content-type") is None


async def test_a_stream_is_read_where_the_promise_says() -> None:
    stream = FakeResponse(b"event: done\ndata: {}\n\n", headers=SSE)
    transport = FakeTransport(prediction("starting"), stream)
    response = await sent(transport, stream=True)
    assert await body(response) == b"event: done\ndata: {}\n\n"
    await response.aclose()
    await settled()
    assert paths(transport)[1:] == [(b"GET", "stream.replicate.com", b"/v1/p1?a=b")]
    assert stream.closed


async def test_a_stream_that_is_left_is_given_up_at_the_provider() -> None:
    stream = FakeResponse(b"event: output\ndata: a\n\n", asyncio.Event(), headers=SSE)
    transport = FakeTransport(prediction("starting"), stream, prediction("canceled"))
    response = await sent(transport, stream=True)
    async for _ in response:
        break
    await response.aclose()
    await response.aclose()
    await settled()
    assert paths(transport)[2:] == [(b"POST", "api.replicate.com", b"/v1/predictions/p1/cancel")]


async def test_a_stream_that_breaks_off_is_given_up_too() -> None:
    stream = FakeResponse(b"event: output\ndata: a\n\n", headers=SSE)
    transport = FakeTransport(prediction("starting"), stream, prediction("canceled"))
    response = await sent(transport, stream=True)
    assert await body(response)
    await settled()
    assert paths(transport)[2:] == [(b"POST", "api.replicate.com", b"/v1/predictions/p1/cancel")]


@pytest.mark.parametrize("looks", [0, 1])
async def test_a_provider_that_says_nothing_is_left_in_time(looks: int) -> None:
    class Silent(FakeTransport):
        async def send(self, target: Target, request: UpstreamRequest) -> FakeResponse:
            if request.method != b"POST" or not looks:
                await asyncio.Event().wait()
            return await super().send(target, request)

    transport = Silent(*[prediction("starting") for _ in range(2)])
    spoken = ReplicatePredictions()
    follow = Follow(read=spoken.read_promise, source=spoken.stream_source, hosts=(), stream=False)
    asked = Prepared(target=HOME, path=b"/v1", body=b"{}", silence=0.05)
    with pytest.raises(TransportError) as failed:
        await Following(transport).send(asked, REQUEST, follow)
    assert failed.value.kind is FailureKind.TIMEOUT
    await settled()
    assert len(transport.asked) == 2 * looks


async def test_a_job_that_is_waited_for_in_vain_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PAUSES", (60.0,))
    transport = FakeTransport(prediction("starting"), prediction("canceled"))
    waiting = asyncio.ensure_future(sent(transport))
    await settled()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await settled()
    assert paths(transport)[1:] == [(b"POST", "api.replicate.com", b"/v1/predictions/p1/cancel")]


async def test_a_job_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_PATIENCE", 0.0)
    transport = FakeTransport(prediction("starting"), prediction("canceled"))
    with pytest.raises(TransportError) as failed:
        await sent(transport)
    assert failed.value.kind is FailureKind.TIMEOUT
    await settled()
    assert len(transport.asked) == 2


async def test_a_job_that_came_to_nothing_is_a_servers_error() -> None:
    transport = FakeTransport(prediction("starting"), prediction("failed", error="no memory"))
    response = await sent(transport)
    assert response.status == 500
    assert b"no memory" in await body(response)
    await settled()
    assert len(transport.asked) == 2  # there is nothing to cancel


async def test_an_error_is_an_answer_that_promises_nothing() -> None:
    transport = FakeTransport(FakeResponse(b'{"detail":"bad input"}', status=422))
    assert (await sent(transport)).status == 422


async def test_an_error_on_the_way_is_the_answer_and_the_job_is_given_up() -> None:
    transport = FakeTransport(prediction("starting"), FakeResponse(b"{}", status=503), prediction("canceled"))
    response = await sent(transport, stream=True)
    assert response.status == 503
    assert await body(response) == b"{}"
    await response.aclose()
    await settled()
    assert paths(transport)[-1][0] == b"POST"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.replicate.com/v1/p",
        "https://api.replicate.com:8443/v1/p",
        "https://user@api.replicate.com/v1/p",
        "https://replicate.com.evil.example/v1/p",
        "https://evilreplicate.com/p",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:80/",
        "ftp://api.replicate.com/v1/p",
        "https://api.replicate.com:x/v1",
        "https://api.replicate.com/a b",
        "https://api.replicate.com/é",
        "//api.replicate.com/v1",
        "nonsense",
    ],
)
async def test_a_url_that_leads_elsewhere_is_not_followed(url: str) -> None:
    urls = {"get": url, "cancel": url}
    answer = FakeResponse(orjson.dumps({"status": "starting", "urls": urls}), status=201)
    transport = FakeTransport(answer)
    with pytest.raises(TransportError) as failed:
        await sent(transport)
    assert failed.value.kind is FailureKind.PROTOCOL
    await settled()
    assert len(transport.asked) == 1


async def test_the_address_that_was_asked_may_be_anywhere_the_policy_says() -> None:
    urls = {"get": "http://127.0.0.1:9/v1/predictions/p1"}
    first = FakeResponse(orjson.dumps({"status": "starting", "urls": urls}), status=201)
    transport = FakeTransport(first, prediction("succeeded", output="Hi"))
    response = await sent(transport, target=Target(host="127.0.0.1", port=9, tls=False))
    assert response.status == 200


@pytest.mark.parametrize("answer", [b"<html>", b"{}", b'{"status":"starting","urls":{}}'])
async def test_an_answer_that_is_no_promise_is_a_failure(answer: bytes) -> None:
    with pytest.raises(TransportError) as failed:
        await sent(FakeTransport(FakeResponse(answer)))
    assert failed.value.kind is FailureKind.PROTOCOL

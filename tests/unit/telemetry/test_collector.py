"""How exports reach a collector."""

from __future__ import annotations

import ssl

import pytest

from agent.checks.http import HttpConfig
from agent.errors import UpstreamError
from agent.telemetry.collector import HttpCollector
from tests.fakes.http_server import Peer, ProxyScript, RawServer
from tests.fakes.otlp_receiver import OtlpReceiver

PLAIN = HttpConfig(context=ssl.create_default_context)


async def test_an_answer_is_a_receipt() -> None:
    receiver = OtlpReceiver(statuses=[b"503 Busy\nretry-after: 7"])
    async with RawServer(receiver) as server:
        collector = HttpCollector(PLAIN)
        receipt = await collector.post(f"http://127.0.0.1:{server.port}/v1/traces", {"x-key": "k"}, b"body")
        await collector.aclose()
    assert (receipt.status, receipt.retry_after) == (503, 7.0)
    assert (receiver.asked[0].header(b"x-key"), receiver.asked[0].body) == (b"k", b"body")


@pytest.mark.parametrize("value", [b"soon", b"-1", b"1.5", b"Fri, 31 Dec 1999 23:59:59 GMT", b"9999999"])
async def test_a_pause_that_is_no_number_is_none(value: bytes) -> None:
    async with RawServer(OtlpReceiver(statuses=[b"429 Many\nretry-after: " + value])) as server:
        collector = HttpCollector(PLAIN)
        assert (await collector.post(f"http://127.0.0.1:{server.port}/", {}, b"")).retry_after is None
        await collector.aclose()


async def test_redirects_are_not_followed() -> None:
    receiver = OtlpReceiver(statuses=[b"307 Elsewhere\nlocation: http://127.0.0.1:1/"])
    async with RawServer(receiver) as server:
        collector = HttpCollector(PLAIN)
        assert (await collector.post(f"http://127.0.0.1:{server.port}/", {}, b"")).status == 307
        await collector.aclose()
    assert len(receiver.asked) == 1


async def test_a_collector_that_is_not_there_is_an_error_without_its_words() -> None:
    collector = HttpCollector(PLAIN)
    with pytest.raises(UpstreamError, match="ConnectError"):
        await collector.post("http://127.0.0.1:1/v1/traces", {}, b"")
    await collector.aclose()
    await collector.aclose()


async def test_an_answer_without_end_is_not_kept() -> None:
    async def endless(peer: Peer) -> None:
        await peer.request()
        await peer.answer(b"x" * 200_000)

    async with RawServer(endless) as server:
        collector = HttpCollector(PLAIN)
        assert (await collector.post(f"http://127.0.0.1:{server.port}/", {}, b"")).body == b""
        await collector.aclose()


async def test_the_company_proxy_is_used_but_not_for_this_machine() -> None:
    proxy = ProxyScript(credentials=b"Basic abc")
    async with RawServer(proxy) as server, RawServer(OtlpReceiver(statuses=[b"200 OK"])) as own:
        config = HttpConfig(
            context=ssl.create_default_context,
            proxy_url=f"http://127.0.0.1:{server.port}",
            proxy_authorization="Basic abc",
        )
        there, here = HttpCollector(config), HttpCollector(config)
        assert (await there.post("http://collector.invalid:4318/v1/traces", {}, b"")).body.startswith(
            b"by proxy"
        )
        assert (await here.post(f"http://localhost:{own.port}/", {}, b"")).status == 200
        await there.aclose()
        await here.aclose()
    assert len(proxy.seen) == 1

"""HTTP towards services, on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent.checks.http import AioHttp, HttpConfig
from agent.checks.ports import CheckError, Failure
from agent.gateway.transport.tls import client_context
from agent.host.proxy_exceptions import ProxyExceptions
from tests.fakes.services import Service, breaks_off, floods, hangs, replies, says, service
from tests.fakes.tls import Authority


def config(proxy: str = "", authorization: str = "") -> HttpConfig:
    return HttpConfig(
        context=ssl.create_default_context,
        proxy_url=proxy,
        proxy_authorization=authorization,
        max_answer=100_000,
    )


@pytest.fixture
async def server() -> AsyncIterator[Service]:
    async with service() as made:
        yield made


@pytest.fixture
async def http() -> AsyncIterator[AioHttp]:
    made = AioHttp(config())
    yield made
    await made.aclose()


async def failing(http: AioHttp, url: str) -> Failure:
    with pytest.raises(CheckError) as caught:
        await http.post(url, {}, b"{}")
    return caught.value.failure


async def test_a_post_arrives_as_it_was_made(http: AioHttp, server: Service) -> None:
    server.reply = replies({"a": 1}, status=418)
    answer = await http.post(f"{server.url}/a%3Ab/c?x=y", {"X-Key": "k"}, b"{}")
    assert (answer.status, answer.body) == (418, b'{"a":1}')
    (posted,) = server.posted
    assert posted.url == "/a%3Ab/c?x=y"
    assert posted.headers["X-Key"] == "k"
    assert posted.headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in posted.headers


async def test_cookies_are_not_kept(http: AioHttp, server: Service) -> None:
    server.reply = says(b"{}", headers={"Set-Cookie": "id=1"})
    for _ in range(2):
        await http.post(server.url, {}, b"{}")
    assert all("Cookie" not in posted.headers for posted in server.posted)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_refused(http: AioHttp, server: Service, status: int) -> None:
    server.reply = says(b"", status, {"Location": f"{server.url}/elsewhere"})
    assert await failing(http, server.url) is Failure.REDIRECT
    assert [posted.url for posted in server.posted] == ["/"]


async def test_an_answer_without_end_is_cut_off(http: AioHttp, server: Service) -> None:
    server.reply = floods
    assert await failing(http, server.url) is Failure.TOO_LARGE


async def test_a_packed_answer_is_not_unpacked(http: AioHttp, server: Service) -> None:
    async def packed(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"})

    server.reply = packed
    assert (await http.post(server.url, {}, b"{}")).body == b"\x1f\x8b\x08"


async def test_an_answer_that_breaks_off_is_none(http: AioHttp, server: Service) -> None:
    server.reply = breaks_off
    assert await failing(http, server.url) is Failure.UNREACHABLE


async def test_a_connection_that_the_service_has_closed_is_opened_anew_once(
    http: AioHttp, server: Service
) -> None:
    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        server.reply = replies({"a": 1}) if len(server.posted) == 1 else hang_up
        return web.Response()

    server.reply = hang_up
    assert (await http.post(server.url, {}, b"{}")).body == b'{"a":1}'
    server.reply = hang_up
    assert await failing(http, server.url) is Failure.UNREACHABLE
    assert len(server.posted) == 4


async def test_nobody_there_is_unreachable(http: AioHttp, server: Service) -> None:
    free = server.url.rpartition(":")[0] + ":9"
    assert await failing(http, free) is Failure.UNREACHABLE
    assert await failing(http, server.url.replace("http:", "https:")) is Failure.UNREACHABLE


async def test_who_gives_up_waiting_leaves_nothing_behind(http: AioHttp, server: Service) -> None:
    server.reply = hangs
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await http.post(server.url, {}, b"{}")
    server.reply = replies({})
    assert (await http.post(server.url, {}, b"{}")).status == 200


async def test_strangers_are_asked_through_the_company_proxy_and_this_machine_is_not(server: Service) -> None:
    http = AioHttp(config(server.url, "Basic abc"))
    server.reply = replies({})
    await http.post("http://service.invalid/x", {}, b"{}")
    (through,) = server.posted
    assert through.headers["Host"] == "service.invalid"
    assert through.headers["Proxy-Authorization"] == "Basic abc"
    await http.post(server.url, {}, b"{}")
    assert "Proxy-Authorization" not in server.posted[1].headers
    await http.aclose()


async def test_a_proxy_that_only_the_environment_names_is_not_used(
    http: AioHttp, server: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert await failing(http, "http://service.invalid/") is Failure.UNREACHABLE
    assert server.posted == []


async def test_pinned_names_are_found_where_the_settings_say(server: Service) -> None:
    port = int(server.url.rpartition(":")[2])
    pins = {("service.invalid", 80): ("127.0.0.1", port)}
    http = AioHttp(HttpConfig(context=ssl.create_default_context, resolve=pins))
    server.reply = replies({})
    await http.post("http://service.invalid/x", {}, b"{}")
    assert server.posted[0].headers["Host"] == "service.invalid"
    await http.aclose()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_that_is_not_trusted_ends_it(trusted: bool, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with service(authority.leaf("service.invalid").server_context()) as server:
        port = int(server.url.rpartition(":")[2])
        pins = {("service.invalid", 443): ("127.0.0.1", port)}
        root = authority.ca_file if trusted else None
        http = AioHttp(HttpConfig(context=lambda: client_context(root), resolve=pins))
        if trusted:
            assert (await http.post("https://service.invalid/", {}, b"{}")).status == 200
        else:
            assert await failing(http, "https://service.invalid/") is Failure.UNREACHABLE
            assert server.posted == []
        await http.aclose()


async def test_after_the_end_nothing_is_opened() -> None:
    http = AioHttp(config())
    await http.aclose()
    assert await failing(http, "http://127.0.0.1:9") is Failure.NOT_RUNNING


def test_what_the_company_proxy_is_not_for_is_asked_directly() -> None:
    found = HttpConfig(
        context=ssl.create_default_context,
        proxy_url="http://p:1",
        direct=ProxyExceptions.parse(["near.test"]),
    )
    assert (found.proxy_for("a.near.test"), found.proxy_for("far.test")) == ("", "http://p:1")

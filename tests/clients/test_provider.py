"""The fake provider records what comes and misbehaves as scripted. No proxy is involved."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import zstandard

from tests.fakes.misbehaviour import Canned, Compressed, Cut, Stall, Torn, broken_events
from tests.fakes.provider import Provider, contains
from tests.fakes.raw_provider import RawProvider, raw_answer
from tests.fakes.tls import Authority

CHAT = "/v1/chat/completions"
ASK = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with Provider(tmp_path) as running:
        yield running


@pytest.fixture
def client(provider: Provider) -> Iterator[httpx.Client]:
    trust = provider.authority.client_context()
    with httpx.Client(base_url=provider.url, verify=trust, trust_env=False) as one:
        yield one


def test_requests_are_recorded_as_they_came(provider: Provider, client: httpx.Client) -> None:
    body = gzip.compress(json.dumps(ASK).encode())
    sent = {"host": "api.openai.com", "content-encoding": "gzip", "x-case": "Kept"}
    for _ in range(2):
        client.post(CHAT + "?a=%20b", content=body, headers=sent)
    first, second = provider.wait_for_requests(2)
    assert (first.method, first.host, first.path, first.query) == ("POST", "api.openai.com", CHAT, "a=%20b")
    assert first.header("x-case") == "Kept"
    assert (first.body, json.loads(first.decoded), first.complete) == (body, ASK, True)
    assert first.connection == second.connection
    assert provider.bodies(CHAT) == [body, body]
    assert provider.bodies("/other") == []


def test_every_provider_host_is_served_with_its_name(provider: Provider) -> None:
    for host in ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"):
        context = provider.authority.client_context()
        with (
            socket.create_connection(("127.0.0.1", provider.port)) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.sendall(f"GET /v1/models HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert secure.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert [one.server_name for one in provider.requests] == [one.host for one in provider.requests]


def test_the_authority_satisfies_strict_verification(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert authority.client_context().verify_flags & ssl.VERIFY_X509_STRICT
    assert authority.leaf("a.test").key_file.stat().st_mode & 0o777 == 0o600


def test_a_client_that_does_not_know_the_authority_is_not_served(provider: Provider) -> None:
    refused = pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED")
    with httpx.Client(verify=ssl.create_default_context(), trust_env=False) as stranger, refused:
        stranger.get(provider.url)
    assert provider.requests == ()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "the s\\u0065cret is here"}',
        b'{"arguments": "{\\"q\\": \\"a s\\\\u0065cret\\"}"}',
        b"field=secret",
        b'{"secret": 1}',
    ],
)
def test_a_text_is_found_however_it_is_written(body: bytes) -> None:
    assert contains(body, "secret")
    assert not contains(body, "another")


def test_saw_looks_into_compressed_bodies(provider: Provider, client: httpx.Client) -> None:
    body = zstandard.compress(json.dumps(ASK | {"user": "a secret"}).encode())
    client.post(CHAT, content=body, headers={"content-encoding": "zstd"})
    assert provider.saw("a secret")
    assert not provider.saw("another")
    provider.reset()
    assert not provider.saw("a secret")


def test_a_canned_answer_applies_to_its_path_as_often_as_told(
    provider: Provider, client: httpx.Client
) -> None:
    provider.script(CHAT, Canned(status=429, headers=((b"retry-after", b"1"),), body=b"slow"), times=1)
    provider.script(CHAT, broken_events())
    answer = client.post(CHAT, json=ASK)
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "slow", "1")
    assert b"{not json}" in client.post(CHAT, json=ASK).content
    assert b"message_stop" in client.post("/v1/messages", json=ASK).content


@pytest.mark.parametrize(("reset", "error"), [(False, httpx.RemoteProtocolError), (True, httpx.ReadError)])
def test_a_cut_ends_the_answer_after_so_many_bytes(
    reset: bool, error: type[Exception], provider: Provider, client: httpx.Client
) -> None:
    provider.script(CHAT, Cut(after=100, reset=reset))
    chunks: list[bytes] = []
    with client.stream("POST", CHAT, json=ASK) as answer, pytest.raises(error):
        chunks.extend(answer.iter_raw())
    received = len(b"".join(chunks))
    assert received == 100 or (reset and received < 100)
    assert not provider.requests[0].disconnected


def test_a_stall_lasts_until_the_client_leaves(provider: Provider, client: httpx.Client) -> None:
    provider.script(CHAT, Stall(after=10))
    with pytest.raises(httpx.ReadTimeout):
        client.post(CHAT, json=ASK, timeout=0.1)
    provider.wait_for_disconnect()
    assert provider.requests[0].disconnected


@pytest.mark.parametrize(
    "behaviour", [Torn(size=7), *(Compressed(coding=one) for one in ("gzip", "br", "zstd"))]
)
def test_a_torn_or_compressed_answer_says_the_same(
    behaviour: Torn | Compressed, provider: Provider, client: httpx.Client
) -> None:
    provider.script("/v1/messages", behaviour)
    answer = client.post("/v1/messages", json=ASK | {"stream": False})
    streamed = client.post("/v1/messages", json=ASK)
    assert answer.json()["content"][0]["text"] == "You said: hello"
    assert streamed.text.endswith('data: {"type":"message_stop"}\n\n')
    if isinstance(behaviour, Compressed):
        assert answer.headers["content-encoding"] == behaviour.coding


def test_a_raw_provider_writes_exactly_what_it_is_told(tmp_path: Path) -> None:
    with RawProvider(
        tmp_path, raw_answer(b"HTTP/1.1 200 OK\r\nContent-", 0.01, b"Length: 9\r\n\r\nhi")
    ) as raw:
        trust = raw.authority.client_context()
        with httpx.Client(verify=trust, trust_env=False) as one, pytest.raises(httpx.RemoteProtocolError):
            one.post(raw.url, content=iter((b"chunked ", b"body")))
        (request,) = raw.wait_for_requests(1)
    assert request.endswith(b"8\r\nchunked \r\n4\r\nbody\r\n0\r\n\r\n")


def test_stopping_does_not_wait_for_clients(tmp_path: Path) -> None:
    provider = Provider(tmp_path, tls=False).start()
    provider.script(CHAT, Stall())
    with (
        httpx.Client(trust_env=False) as client,
        client.stream("POST", provider.url + CHAT, json=ASK, timeout=5) as answer,
    ):
        provider.stop()
        with pytest.raises(httpx.HTTPError):
            answer.read()
    provider.stop()

"""Loopback upstreams and transports for the tests beside."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from agent.gateway.transport.aio import AioTransport
from agent.gateway.transport.base import Transport, TransportConfig
from agent.gateway.transport.http1 import Http1Transport
from agent.gateway.transport.tls import client_context
from tests.fakes.http_server import Clock, RawServer, Script
from tests.fakes.tls import Authority

QUICK = TransportConfig(
    connect_timeout=10, tls_timeout=10, head_timeout=10, read_timeout=10, write_timeout=10
)

type Build = Callable[..., Transport]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def server_tls(authority: Authority) -> ssl.SSLContext:
    return authority.leaf("127.0.0.1", "upstream.test").server_context()


@pytest.fixture(scope="session")
def trusting(authority: Authority) -> ssl.SSLContext:
    return client_context(authority.ca_file)


@pytest.fixture(scope="session")
def distrusting() -> ssl.SSLContext:
    """Knows the system's roots only."""
    return client_context()


@pytest.fixture(params=["http1", "aio"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def serve(request: pytest.FixtureRequest, server_tls: ssl.SSLContext) -> Callable[[Script], RawServer]:
    """Starts servers: plain ones, unless a test asks for TLS by parametrising this fixture."""
    tls = server_tls if getattr(request, "param", "plain") == "tls" else None
    return lambda script: RawServer(script, tls=tls)


@pytest.fixture
async def clock() -> Clock:
    """The loop's clock."""
    return Clock()


@pytest.fixture
async def build(trusting: ssl.SSLContext) -> AsyncIterator[Build]:
    """Makes transports that are closed at the end of the test."""
    made: list[Transport] = []

    def make(kind: str = "http1", *, context: ssl.SSLContext | None = None, **changes: object) -> Transport:
        config = replace(QUICK, **changes)
        transport_type = Http1Transport if kind == "http1" else AioTransport
        made.append(transport_type(config, context or trusting))
        return made[-1]

    yield make
    for transport in made:
        await transport.aclose()


@pytest.fixture
def transport(kind: str, build: Build) -> Transport:
    return build(kind)

"""A dispatcher over the real transport, and providers on loopback."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from agent.gateway.dispatch import Dispatcher
from agent.gateway.transport.base import TransportConfig
from agent.gateway.transport.http1 import Http1Transport
from agent.gateway.transport.tls import client_context
from agent.model.traffic import Target
from agent.routing.health import HealthBook
from agent.routing.plan import Candidate, KeyRef
from tests.fakes.dispatch import Act, ToyCredentials
from tests.fakes.http_server import Clock, RawServer
from tests.fakes.routes import candidate, lots

type Provide = Callable[..., Awaitable[Candidate]]


@pytest.fixture
def health() -> HealthBook:
    return HealthBook()


class Pauses:
    """Sleeps not, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(round(seconds, 1))


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture(scope="session")
def roots() -> ssl.SSLContext:
    return client_context()


@pytest.fixture
async def transport(roots: ssl.SSLContext) -> AsyncIterator[Http1Transport]:
    made = Http1Transport(TransportConfig(connect_timeout=5), roots)
    yield made
    await made.aclose()


@pytest.fixture
async def dispatcher(
    transport: Http1Transport, health: HealthBook, pauses: Pauses
) -> AsyncIterator[Dispatcher]:
    now = [0.0]

    async def sleep(seconds: float) -> None:
        await pauses(seconds)
        now[0] += seconds

    made = Dispatcher(
        transport,
        ToyCredentials("missing"),
        health,
        clock=lambda: now[0],
        wall=lambda: 0.0,
        sleep=sleep,
        draw=lots(0.5),
    )
    yield made
    await made.aclose()


@pytest.fixture
async def clock() -> Clock:
    """The loop's clock."""
    return Clock()


@pytest.fixture
async def provide() -> AsyncIterator[Provide]:
    """Makes candidates whose providers answer as told, or are not there at all."""
    async with AsyncExitStack() as stack:

        async def make(name: str, act: Act | None, *keys: str | KeyRef) -> Candidate:
            server = await stack.enter_async_context(RawServer(act or Act(b"")))
            if act is None:
                await server.stop()
            target = Target(host="127.0.0.1", port=server.port, tls=False)
            return candidate(name, *keys, target=target)

        yield make

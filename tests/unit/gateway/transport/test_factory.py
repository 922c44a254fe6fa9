"""A proxy makes the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.gateway.transport.aio import AioTransport
from agent.gateway.transport.base import TransportConfig
from agent.gateway.transport.factory import build_transport
from agent.gateway.transport.http1 import Http1Transport
from agent.gateway.transport.split import SplitTransport


@pytest.mark.parametrize(
    ("url", "expected"), [("", Http1Transport), ("http://proxy.test:3128", AioTransport)]
)
async def test_a_proxy_is_left_to_aiohttp(url: str, expected: type) -> None:
    transport = await build_transport(TransportConfig(proxy_url=url))
    assert isinstance(transport, expected)
    await transport.aclose()


@pytest.mark.parametrize(
    "config", [TransportConfig(proxy_url="socks5://a.test"), TransportConfig(ca_file=Path("/nonexistent"))]
)
async def test_what_cannot_work_is_said_at_once(config: TransportConfig) -> None:
    with pytest.raises(ConfigError):
        await build_transport(config)


async def test_hosts_that_the_proxy_is_not_for_are_reached_by_our_own_client() -> None:
    transport = await build_transport(
        TransportConfig(proxy_url="http://proxy.test:3128", direct=("near.test",))
    )
    assert isinstance(transport, SplitTransport)
    await transport.aclose()

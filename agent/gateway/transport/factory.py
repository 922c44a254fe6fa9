"""Chooses the transport: our own client, or aiohttp where a company proxy stands in the way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agent.gateway.transport.base import Transport, TransportConfig
from agent.gateway.transport.http1 import Http1Transport
from agent.gateway.transport.split import SplitTransport
from agent.gateway.transport.tls import client_context
from agent.host.proxy_exceptions import ProxyExceptions


async def build_transport(config: TransportConfig) -> Transport:
    """A transport as `config` says. Reads the trusted roots off the event loop, once.

    Raises ConfigError for a CA file or proxy URL that cannot be used.
    """
    context = await asyncio.to_thread(client_context, config.ca_file)
    if not config.proxy_url:
        return Http1Transport(config, context)
    # aiohttp costs 0.2 s and 12 MB to import, which most machines never need to pay
    from agent.gateway.transport.aio import AioTransport

    proxied = AioTransport(config, context)
    if not config.direct:
        return proxied
    excepted = ProxyExceptions.parse(config.direct)
    return SplitTransport(proxied, Http1Transport(replace(config, proxy_url=""), context), excepted.cover)

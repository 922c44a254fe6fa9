"""The connection to a fleet's store."""

from __future__ import annotations

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

_TIMEOUT = 1.0  # seconds, of every step: a request waits for it
_CONNECTIONS = 32


def connect(url: str, password: str | None) -> Redis:
    """A client for a store's URL. Does not connect yet."""
    pool = BlockingConnectionPool.from_url(
        url,
        password=password,
        decode_responses=True,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        max_connections=_CONNECTIONS,
        timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 1),  # the scripts may come twice
    )
    return Redis.from_pool(pool)  # which closes it in the end

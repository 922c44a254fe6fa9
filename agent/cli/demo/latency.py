"""What the bridge adds to a request: the same small request, through it and straight to the provider, by turns."""

from __future__ import annotations

import ssl
import statistics
import time
from pathlib import Path

import httpx

from agent.audit import Trail
from agent.cli.demo.clients import MODEL_OPENAI
from agent.cli.demo.results import Latency
from agent.gateway.echo.service import Origin

REQUESTS = 30
_WARM_UP = 5
_BODY = {"model": MODEL_OPENAI, "messages": [{"role": "user", "content": "ping"}]}
_PATH = "/v1/chat/completions"
_SECONDS = 10.0


async def measure(*, proxy: str, agent_ca: Path, origin: Origin, origin_ca: Path, trail: Trail) -> Latency:
    """Measure over connections that are kept open, as the SDKs keep them. Raises httpx.HTTPError, AuditError."""
    direct: list[float] = []
    bridged: list[float] = []
    async with (
        httpx.AsyncClient(verify=_trusting(origin_ca), trust_env=False, timeout=_SECONDS) as straight,
        httpx.AsyncClient(
            verify=_trusting(agent_ca), proxy=proxy, trust_env=False, timeout=_SECONDS
        ) as through,
    ):
        for _ in range(_WARM_UP + REQUESTS):
            direct.append(await _timed(straight, f"https://127.0.0.1:{origin.port}{_PATH}", origin.host))
            bridged.append(await _timed(through, f"https://{origin.host}{_PATH}", origin.host))
    return Latency(
        requests=REQUESTS,
        direct_ms=statistics.median(direct[_WARM_UP:]),
        bridged_ms=statistics.median(bridged[_WARM_UP:]),
        own_ms=_own_work(trail),
    )


async def _timed(client: httpx.AsyncClient, url: str, host: str) -> float:
    begun = time.perf_counter()
    answer = await client.post(url, json=_BODY, headers={"host": host}, extensions={"sni_hostname": host})
    answer.raise_for_status()
    return (time.perf_counter() - begun) * 1e3


def _own_work(trail: Trail) -> float:
    """The median of what the agent itself counts as its own work on these requests, in milliseconds."""
    rows = trail.events(kind="exchange", limit=REQUESTS)
    work = [overhead_ms(trail.show(row.id).document) for row in rows]
    return statistics.median(work)


def overhead_ms(document: object) -> float:
    """The agent's own work on an exchange, as its event tells it."""
    match document:
        case {"unmapped": {"drawbridge": {"timing": {"overhead_us": int(microseconds)}}}}:
            return microseconds / 1e3
        case _:
            return 0.0


def _trusting(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_file))

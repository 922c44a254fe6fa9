"""One exchange from end to end: a client, a supervisor with its engine, a provider, all on loopback.

What would fail on a user's machine only once the service runs fails here: how this program starts itself, lends its
ports, ends TLS, judges, forwards and records.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import httpx

from agent.cli.demo import specimens
from agent.cli.demo.stage import BANK, Stage, built
from agent.errors import HostError
from agent.host.paths import bundled_policies

_HOST = "api.openai.com"
_SECONDS = 30.0


def exchange(directory: Path) -> str:
    """A prompt with a secret in it goes through the agent; what the provider got, and what the client got back, is
    looked at. A host of nobody's catalog is reached undecrypted."""
    return asyncio.run(_exchange(directory))


async def _exchange(directory: Path) -> str:
    # On Windows a process can only be cut off, and one that is leaves its engine to find out by itself.
    command = "up" if sys.platform == "win32" else "supervise"
    async with built(directory, bundled_policies() / "default" / "policy.yaml", command=command) as stage:
        token = specimens.repository_token()
        answer = await _ask(stage, f"what is wrong with {token} here?")
        if answer.status_code != 200:
            raise HostError(f"the exchange ended with status {answer.status_code}: {answer.text[:200]}")
        if len(stage.providers.requests) != 1:
            raise HostError("the request did not come to the provider")
        if stage.providers.requests[0].holds(token):
            raise HostError("a secret reached the provider")
        await _pass_by(stage)
    return "intercepted, redacted, answered; other hosts pass undecrypted"


async def _ask(stage: Stage, text: str) -> httpx.Response:
    body = {"model": "gpt-5", "messages": [{"role": "user", "content": text}]}
    return await _post(stage, f"https://{_HOST}/v1/chat/completions", Path(stage.agent.ca_path), body)


async def _pass_by(stage: Stage) -> None:
    """Only the origin's own certificate satisfies this client."""
    try:
        await _post(stage, f"https://{BANK}/", stage.origins_ca, {})
    except httpx.ConnectError as error:
        raise HostError("a host that is not in the catalog cannot be reached undecrypted") from error
    if not stage.bank.requests:
        raise HostError("the request did not come to the host that is not in the catalog")


async def _post(stage: Stage, url: str, roots: Path, body: object) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(roots))
    proxy = f"http://127.0.0.1:{stage.agent.proxy_port}"
    async with httpx.AsyncClient(proxy=proxy, verify=context, trust_env=False, timeout=_SECONDS) as client:
        try:
            return await client.post(url, json=body)
        except httpx.TransportError as error:
            raise HostError(f"no answer from {url}: {type(error).__name__} {error}".strip()) from error

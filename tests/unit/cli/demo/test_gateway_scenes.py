"""A scene of the gateway passes only if what it promises happened: here a gateway does as told, or all wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import httpx
import pytest

from agent.cli.demo.gateway_clients import Told
from agent.cli.demo.gateway_scenes import INTERN_TOKENS, GatewayScenes
from agent.cli.demo.recorder import Received, Recorder
from agent.cli.demo.results import Step
from agent.cli.demo.scenes import Cast
from agent.gateway.echo import EchoApp
from agent.gateway.echo.service import Origin
from tests.fakes.asgi_client import AsgiClient

REFUSED = Told(error="PaymentRequiredError: the budget has no room", status=402)
ANTHROPIC = Told(provider="anthropic", attempts=1, cache="miss", pieces=3)


@dataclass
class Gateway:
    """What the programs see, and what reaches the providers meanwhile."""

    providers: Recorder = field(default_factory=lambda: Recorder(EchoApp()))
    down: Recorder = field(default_factory=lambda: Recorder(EchoApp()))
    streamed: Told = ANTHROPIC
    fails: int = 2
    cached: bool = True
    refused: Told = REFUSED
    used: int = 60
    asked: int = 0

    async def stream_openai(self, model: str, prompt: str) -> Told:
        await self._reach("api.anthropic.com", "/v1/messages", prompt)
        return replace(self.streamed, text=f"You said: {prompt}")

    async def ask_openai(self, model: str, prompt: str) -> Told:
        text = f"You said: {prompt}"
        if "/" in model:
            if not self.cached:
                await self._reach("api.anthropic.com", "/v1/messages", prompt)
            return Told(text=text, cache="hit-exact; age=1; id=x" if self.cached else "miss")
        for _ in range(self.fails):
            self.down.requests.append(Received(host="api.mistral.ai", path="/v1/chat/completions"))
        await self._reach("api.openai.com", "/v1/chat/completions", prompt)
        return Told(text=text, provider="openai", attempts=self.fails + 1)

    async def ask_anthropic(self, model: str, prompt: str, *, max_tokens: int) -> Told:
        self.asked += 1
        if self.asked > 1 and self.refused.error:
            return self.refused
        await self._reach("api.openai.com", "/v1/chat/completions", prompt)
        return Told(text=f"You said: {prompt}")

    async def tokens_left(self) -> tuple[int, int]:
        return self.used, INTERN_TOKENS

    async def _reach(self, host: str, path: str, prompt: str) -> None:
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": prompt}]}
        await AsgiClient(self.providers).ask(path, body, headers=((b"host", host.encode()),))


async def played(name: str, gateway: Gateway) -> Step:
    cast = Cast(
        programs=None,  # type: ignore[arg-type]  # these scenes have programs of their own
        providers=gateway.providers,
        bank=gateway.down,
        bank_origin=Origin(host="bank.example", port=1, sha256=b""),
        plain=httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))),
    )
    [scene] = [each for each in GatewayScenes(gateway, gateway.down).scenes() if each.id == name]
    return await scene.play(cast)


@pytest.mark.parametrize("name", ["one-api", "failover", "budget", "cache"])
async def test_a_gateway_that_does_as_promised_passes(name: str) -> None:
    step = await played(name, Gateway())
    assert step.ok, step.seen


@pytest.mark.parametrize(
    ("name", "gateway", "problem"),
    [
        ("one-api", Gateway(streamed=replace(ANTHROPIC, pieces=1)), "the stream arrived in one piece"),
        (
            "one-api",
            Gateway(streamed=replace(ANTHROPIC, provider="")),
            "the headers do not name the provider",
        ),
        ("failover", Gateway(fails=0), "the first provider was not asked"),
        ("budget", Gateway(refused=Told()), "the second request was not refused"),
        ("budget", Gateway(refused=replace(REFUSED, sent=3)), "the SDK tried 3 times"),
        ("budget", Gateway(refused=replace(REFUSED, error="no")), "the client did not see why"),
        ("budget", Gateway(used=0), "the quota does not tell what was used"),
        ("cache", Gateway(cached=False), "it did not come from the cache"),
    ],
)
async def test_one_that_does_not_is_found_out(name: str, gateway: Gateway, problem: str) -> None:
    assert (await played(name, gateway)).seen.problem == problem

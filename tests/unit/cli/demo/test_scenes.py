"""A scene passes only if what it promises happened: here a bridge lets everything through, or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx
import pytest

from agent.cli.demo.clients import Saw
from agent.cli.demo.recorder import Received, Recorder
from agent.cli.demo.scenes import SCENES, Cast, Scene
from agent.gateway.echo import EchoApp
from agent.gateway.echo.service import Origin
from tests.fakes.asgi_client import AsgiClient

BY_ID = {scene.id: scene for scene in SCENES}
REDACTING = [scene.id for scene in SCENES if scene.decision == "redact"]


@dataclass
class OpenBridge:
    """Programs whose prompts reach the provider unchanged, and its answers them."""

    provider: Recorder

    async def ask_openai(self, prompt: str) -> Saw:
        return Saw(text=await self._asked([{"role": "user", "content": prompt}]))

    async def stream_openai(self, prompt: str) -> Saw:
        await self._asked([{"role": "user", "content": prompt}], stream=True)
        pieces = self.provider.requests[-1].streamed
        return Saw(text="".join(pieces), pieces=len(pieces))

    async def stream_anthropic(self, prompt: str) -> Saw:
        return await self.stream_openai(prompt)

    async def return_tool_result(self, prompt: str, *, command: str, result: str) -> Saw:
        messages = [{"role": "user", "content": prompt}, {"role": "tool", "content": result}]
        return Saw(text=await self._asked(messages))

    async def _asked(self, messages: list[dict[str, str]], *, stream: bool = False) -> str:
        body = {"model": "m", "messages": messages, "stream": stream}
        answer = await AsgiClient(self.provider).ask("/v1/chat/completions", body)
        return "" if stream else json.loads(answer)["choices"][0]["message"]["content"]


@dataclass
class ClosedBridge:
    """Programs that get nothing but an error, as often as `sent` says."""

    error: str = "BadRequestError: Blocked by company AI policy: x. Ref 1."
    sent: int = 1

    async def ask_openai(self, prompt: str) -> Saw:
        return Saw(error=self.error, sent=self.sent)

    async def stream_openai(self, prompt: str) -> Saw:
        raise ConnectionError("no way through")

    async def stream_anthropic(self, prompt: str) -> Saw:
        raise ConnectionError("no way through")

    async def return_tool_result(self, prompt: str, *, command: str, result: str) -> Saw:
        raise ConnectionError("no way through")


@dataclass
class Stage:
    """A cast around a bridge."""

    provider: Recorder = field(default_factory=lambda: Recorder(EchoApp()))

    def cast(self, programs: OpenBridge | ClosedBridge) -> Cast:
        return Cast(
            programs=programs,
            providers=self.provider,
            bank=Recorder(EchoApp()),
            bank_origin=Origin(host="bank.example", port=1, sha256=b""),
            plain=httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200))),
        )


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("name", ["allowed", "allowed-streamed"])
async def test_harmless_prompts_pass_an_open_bridge(stage: Stage, name: str) -> None:
    step = await BY_ID[name].play(stage.cast(OpenBridge(stage.provider)))
    assert step.ok, step.seen
    assert step.seen.provider_received == step.seen.tried


@pytest.mark.parametrize("name", [*REDACTING, "blocked"])
async def test_nothing_else_does_without_saying_so(stage: Stage, name: str) -> None:
    step = await BY_ID[name].play(stage.cast(OpenBridge(stage.provider)))
    assert step.seen.problem in {
        "the value reached the provider",
        "the token reached the provider",
        "the key reached the client",
        "the client was answered as if nothing were wrong",
    }


@pytest.mark.parametrize(
    "scene", [scene for scene in SCENES if scene.id != "blocked"], ids=lambda scene: scene.id
)
async def test_a_closed_bridge_fails_whatever_should_have_passed(stage: Stage, scene: Scene) -> None:
    assert not (await scene.play(stage.cast(ClosedBridge()))).ok


async def test_a_block_is_a_message_seen_once_and_a_provider_that_saw_nothing(stage: Stage) -> None:
    step = await BY_ID["blocked"].play(stage.cast(ClosedBridge()))
    assert step.ok
    assert step.seen.provider_received == "nothing"
    assert "not retried" in step.seen.client_saw


@pytest.mark.parametrize(
    ("bridge", "problem"),
    [
        (ClosedBridge(sent=3), "the SDK tried 3 times"),
        (ClosedBridge(error="APIConnectionError: broken"), "the client did not see the policy's message"),
    ],
)
async def test_a_block_that_is_retried_or_not_understood_is_none(
    stage: Stage, bridge: ClosedBridge, problem: str
) -> None:
    assert (await BY_ID["blocked"].play(stage.cast(bridge))).seen.problem == problem


async def test_an_exception_is_a_step_that_failed(stage: Stage) -> None:
    step = await BY_ID["allowed-streamed"].play(stage.cast(ClosedBridge()))
    assert step.seen.problem == "ConnectionError: no way through"
    assert step.title


async def test_no_secret_is_shown_whole(stage: Stage) -> None:
    for name in REDACTING:
        step = await BY_ID[name].play(stage.cast(OpenBridge(stage.provider)))
        shown = f"{step.seen.tried} {step.seen.client_saw} {step.seen.provider_received}"
        kept: Received = stage.provider.requests[-1]
        assert "…" in shown
        assert not any(word in shown for word in kept.said.split() if len(word) > 30)

"""The programs of the demo that use the gateway's base URL: the vendors' own SDKs, each with a virtual key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

from agent.cli.demo.clients import message_of

_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a program got from the gateway: the answer, or the error it shows, and what the headers say of its way."""

    text: str = ""
    pieces: int = 1
    error: str = ""
    status: int = 200
    sent: int = 1  # its HTTP requests
    provider: str = ""
    attempts: int = 0
    cache: str = ""


class GatewayClients:
    """One SDK client of each vendor. Leaving the `async with` block closes their connections."""

    def __init__(self, *, base_url: str, keys: Mapping[str, str]) -> None:
        """`keys` are virtual keys: `laptop` is OpenAI's SDK's, `intern` is Anthropic's. Raises ImportError."""
        import anthropic
        import openai

        self._failures = (openai.APIStatusError, anthropic.APIStatusError)
        self._sent = 0
        hooks = {"request": [self._count]}
        self._openai: AsyncOpenAI = openai.AsyncOpenAI(
            api_key=keys["laptop"],
            base_url=f"{base_url}/v1",
            timeout=_SECONDS,
            http_client=openai.DefaultAsyncHttpxClient(trust_env=False, event_hooks=hooks),
        )
        self._anthropic: AsyncAnthropic = anthropic.AsyncAnthropic(
            api_key=keys["intern"],
            base_url=base_url,
            timeout=_SECONDS,
            http_client=anthropic.DefaultAsyncHttpxClient(trust_env=False, event_hooks=hooks),
        )
        self._plain = httpx.AsyncClient(
            base_url=base_url,
            trust_env=False,
            timeout=_SECONDS,
            headers={"authorization": f"Bearer {keys['intern']}"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()
        await self._anthropic.close()
        await self._plain.aclose()

    async def ask_openai(self, model: str, prompt: str) -> Told:
        """One chat completion."""
        raw = await self._openai.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": prompt}]
        )
        answer = raw.parse()
        return told_of(raw.headers, text=answer.choices[0].message.content or "")

    async def stream_openai(self, model: str, prompt: str) -> Told:
        """One streamed chat completion."""
        raw = await self._openai.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": prompt}], stream=True
        )
        pieces = [
            choice.delta.content
            async for chunk in raw.parse()
            for choice in chunk.choices
            if choice.delta.content
        ]
        return told_of(raw.headers, text="".join(pieces), pieces=len(pieces))

    async def ask_anthropic(self, model: str, prompt: str, *, max_tokens: int) -> Told:
        """One message."""
        self._sent = 0
        try:
            raw = await self._anthropic.messages.with_raw_response.create(
                model=model, max_tokens=max_tokens, messages=[{"role": "user", "content": prompt}]
            )
        except self._failures as error:
            name = type(error).__name__
            return Told(error=f"{name}: {message_of(error)}", status=error.status_code, sent=self._sent)
        answer = await raw.parse()
        texts = [block.text for block in answer.content if block.type == "text"]
        return told_of(raw.headers, text="".join(texts))

    async def tokens_left(self) -> tuple[int, int]:
        """What the intern's key has used of its budget, and the budget, as the gateway's own page tells it."""
        answer = await self._plain.get("/v1/quota")
        [budget] = answer.raise_for_status().json()["budgets"]
        return int(budget["used"]), int(budget["limit"])

    async def _count(self, _request: object) -> None:
        self._sent += 1


def told_of(headers: Mapping[str, str], *, text: str, pieces: int = 1) -> Told:
    """An answer, and what its headers say of its way."""
    return Told(
        text=text,
        pieces=pieces,
        provider=headers.get("x-drawbridge-provider", ""),
        attempts=int(headers.get("x-drawbridge-attempts", "0")),
        cache=headers.get("x-drawbridge-cache", ""),
    )

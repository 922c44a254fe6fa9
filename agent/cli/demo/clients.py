"""The clients of the demo: the vendors' own SDKs, pointed at nothing but the proxy and its certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from agent.errors import ConfigError

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

MODEL_OPENAI = "gpt-5"
MODEL_ANTHROPIC = "claude-opus-4-5"
_SDKS = ("openai", "anthropic")
_TOOL = "shell"
_TOKENS = 512
_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Saw:
    """What a program got back: text, in how many pieces, or the error it shows. `sent` counts its HTTP requests."""

    text: str = ""
    pieces: int = 1
    error: str = ""
    sent: int = 1


def require_sdks() -> None:
    """Raises ConfigError where an SDK is not installed."""
    missing = [name for name in _SDKS if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the demo sends requests with the vendors' own SDKs; not installed: {', '.join(missing)}",
            hint="pip install 'drawbridge-agent[demo]'",
        )


def load_sdks() -> None:
    """Import the SDKs. Takes two seconds, which other work can use. Raises ImportError."""
    for name in _SDKS:
        import_module(name)


class Clients:
    """One SDK client of each vendor. Leaving the `async with` block closes their connections."""

    def __init__(self, *, proxy: str, ca_file: Path) -> None:
        """`proxy` is a URL; `ca_file` holds the only root they trust. Raises ImportError."""
        import anthropic
        import openai

        self._failures = (openai.APIError, anthropic.APIError)
        self._sent = 0
        context = ssl.create_default_context(cafile=str(ca_file))
        # Base URLs and keys are given, so that no variable of the user's leads elsewhere or is sent along.
        self._openai: AsyncOpenAI = openai.AsyncOpenAI(
            api_key="none-is-needed",
            base_url="https://api.openai.com/v1",
            timeout=_SECONDS,
            http_client=openai.DefaultAsyncHttpxClient(
                proxy=proxy, verify=context, trust_env=False, event_hooks={"request": [self._count]}
            ),
        )
        self._anthropic: AsyncAnthropic = anthropic.AsyncAnthropic(
            api_key="none-is-needed",
            base_url="https://api.anthropic.com",
            timeout=_SECONDS,
            http_client=anthropic.DefaultAsyncHttpxClient(
                proxy=proxy, verify=context, trust_env=False, event_hooks={"request": [self._count]}
            ),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()
        await self._anthropic.close()

    async def ask_openai(self, prompt: str) -> Saw:
        """One chat completion."""
        self._sent = 0
        try:
            answer = await self._openai.chat.completions.create(
                model=MODEL_OPENAI, messages=[{"role": "user", "content": prompt}]
            )
        except self._failures as error:
            return Saw(error=f"{type(error).__name__}: {message_of(error)}", sent=self._sent)
        return Saw(text=answer.choices[0].message.content or "", sent=self._sent)

    async def stream_openai(self, prompt: str) -> Saw:
        """One streamed chat completion."""
        self._sent = 0
        stream = await self._openai.chat.completions.create(
            model=MODEL_OPENAI, messages=[{"role": "user", "content": prompt}], stream=True
        )
        pieces = [
            choice.delta.content async for chunk in stream for choice in chunk.choices if choice.delta.content
        ]
        return Saw(text="".join(pieces), pieces=len(pieces), sent=self._sent)

    async def stream_anthropic(self, prompt: str) -> Saw:
        """One streamed message."""
        self._sent = 0
        async with self._anthropic.messages.stream(
            model=MODEL_ANTHROPIC, max_tokens=_TOKENS, messages=[{"role": "user", "content": prompt}]
        ) as stream:
            pieces = [text async for text in stream.text_stream]
        return Saw(text="".join(pieces), pieces=len(pieces), sent=self._sent)

    async def return_tool_result(self, prompt: str, *, command: str, result: str) -> Saw:
        """A message in which a tool, called by the model for `prompt`, gives its result back."""
        self._sent = 0
        answer = await self._anthropic.messages.create(
            model=MODEL_ANTHROPIC,
            max_tokens=_TOKENS,
            tools=[{"name": _TOOL, "input_schema": {"type": "object"}}],
            messages=[
                {"role": "user", "content": prompt},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "tool_use", "id": "toolu_1", "name": _TOOL, "input": {"command": command}}
                    ],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": result}],
                },
            ],
        )
        texts = [block.text for block in answer.content if block.type == "text"]
        return Saw(text="".join(texts), sent=self._sent)

    async def _count(self, _request: object) -> None:
        self._sent += 1


def message_of(error: Exception) -> str:
    """What the SDK shows of an error: the message in the answer's body, where there is one."""
    match getattr(error, "body", None):
        case {"message": str(text)} | {"error": {"message": str(text)}}:
            return text
        case _:
            return str(error)

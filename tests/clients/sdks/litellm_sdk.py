"""LiteLLM's SDK, as a client of OpenAI's and of Anthropic's format."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import errands
import litellm
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen

litellm.suppress_debug_info = True


class _Completion:
    shows_thoughts = True
    style = ""
    thinking: ClassVar[dict[str, Any]] = {"reasoning_effort": "low"}

    def __init__(self, place: Place) -> None:
        base = f"{place.url}/v1" if self.style == "openai" else place.url
        self._settings: dict[str, Any] = {"model": f"{self.style}/{place.model}", "api_base": base}
        self._settings |= {"api_key": place.key, "max_retries": 0}

    def begin(self, text: str) -> list[Any]:
        return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]

    def look(self) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is it?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            }
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        settings = self._settings | {"messages": history}
        if ask.tools:
            function = {"name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
            settings["tools"] = [{"type": "function", "function": function}]
        if ask.thinks:
            settings |= self.thinking  # it does not know what the model behind the gateway can do
            settings["allowed_openai_params"] = ["reasoning_effort", "thinking"]
        if ask.schema:
            form = {"name": "forecast", "schema": FORECAST_SCHEMA, "strict": True}
            settings["response_format"] = {"type": "json_schema", "json_schema": form}
        seen = Seen()
        if ask.stream:
            counted = {"stream": True, "stream_options": {"include_usage": True}}
            chunks = []
            for chunk in litellm.completion(**settings, **counted):
                chunks.append(chunk)
                for choice in chunk.choices:
                    seen.piece(choice.delta.content)
            answer = litellm.stream_chunk_builder(chunks, messages=history)
        else:
            answer = litellm.completion(**settings)
        message = answer.choices[0].message
        seen.text = message.content or ""
        seen.thought = getattr(message, "reasoning_content", None) or ""
        seen.calls = [
            Call(id=call.id, name=call.function.name, arguments=json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ]
        seen.usage = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
        history.append(message)
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": result})


class OpenAIStyle(_Completion):
    """`openai/…`."""

    style = "openai"


class AnthropicStyle(_Completion):
    """`anthropic/…`."""

    style = "anthropic"
    thinking: ClassVar[dict[str, Any]] = {
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "max_tokens": 4000,
    }


if __name__ == "__main__":
    errands.run({"litellm openai": OpenAIStyle, "litellm anthropic": AnthropicStyle})

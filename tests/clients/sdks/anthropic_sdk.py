"""Anthropic's SDK."""

from __future__ import annotations

from typing import Any

import errands
from anthropic import Anthropic
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, RESULTS, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen


def _client(place: Place) -> Anthropic:
    return Anthropic(base_url=place.url, api_key=place.key, max_retries=0, _strict_response_validation=True)


class Messages:
    """Messages."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._client = _client(place)
        self._model = place.model

    def begin(self, text: str) -> list[Any]:
        return [{"role": "user", "content": text}]

    def look(self) -> list[Any]:
        return [
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    {"type": "text", "text": "What is it?"},
                ],
            }
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        settings: dict[str, Any] = {"model": self._model, "max_tokens": 4000, "system": SYSTEM}
        if ask.tools:
            settings["tools"] = [{"name": TOOL, "description": DESCRIPTION, "input_schema": SCHEMA}]
        if ask.thinks:
            settings["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        if ask.schema:
            settings["output_config"] = {"format": {"type": "json_schema", "schema": FORECAST_SCHEMA}}
        seen = Seen()
        if ask.stream:
            with self._client.messages.stream(messages=history, **settings) as stream:
                for text in stream.text_stream:
                    seen.piece(text)
                message = stream.get_final_message()
        else:
            message = self._client.messages.create(messages=history, **settings)
        seen.text = "".join(block.text for block in message.content if block.type == "text")
        seen.thought = "".join(block.thinking for block in message.content if block.type == "thinking")
        seen.calls = [
            Call(id=block.id, name=block.name, arguments=block.input)
            for block in message.content
            if block.type == "tool_use"
        ]
        assert message.stop_reason == ("tool_use" if seen.calls else "end_turn"), (
            f"stopped by {message.stop_reason}"
        )
        seen.usage = (message.usage.input_tokens, message.usage.output_tokens)
        history.append({"role": "assistant", "content": message.content})
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        blocks = [
            {"type": "tool_result", "tool_use_id": call.id, "content": result}
            for call, result in zip(calls, results, strict=True)
        ]
        history.append({"role": "user", "content": blocks})


def _count(place: Place) -> None:
    messages = [{"role": "user", "content": "hello"}]
    assert _client(place).messages.count_tokens(model=place.model, messages=messages).input_tokens > 0


if __name__ == "__main__":
    errands.run({"anthropic": Messages}, {"count_tokens": _count})

"""Cohere's SDK, version 2 of the chat."""

from __future__ import annotations

import json
import warnings
from typing import Any

import errands
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, RESULTS, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own types
    import cohere


class Chat:
    """Chat."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._client = cohere.ClientV2(api_key=place.key, base_url=place.url)
        self._model = place.model

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
        settings: dict[str, Any] = {"model": self._model, "messages": history}
        if ask.tools:
            function = {"name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
            settings["tools"] = [{"type": "function", "function": function}]
        if ask.thinks:
            settings["thinking"] = {"type": "enabled", "token_budget": 2000}
        if ask.schema:
            settings["response_format"] = {"type": "json_object", "json_schema": FORECAST_SCHEMA}
        return self._stream(history, settings) if ask.stream else self._whole(history, settings)

    def _whole(self, history: list[Any], settings: dict[str, Any]) -> Seen:
        answer = self._client.chat(**settings)
        message = answer.message
        seen = Seen(usage=(answer.usage.tokens.input_tokens, answer.usage.tokens.output_tokens))
        for part in message.content or ():
            if part.type == "thinking":
                seen.thought += part.thinking
            else:
                seen.text += part.text
        seen.text = seen.text or message.tool_plan or ""
        seen.calls = [
            Call(id=call.id, name=call.function.name, arguments=json.loads(call.function.arguments))
            for call in message.tool_calls or ()
        ]
        assert answer.finish_reason == ("TOOL_CALL" if seen.calls else "COMPLETE"), answer.finish_reason
        history.append(message)
        return seen

    def _stream(self, history: list[Any], settings: dict[str, Any]) -> Seen:
        seen = Seen()
        for event in self._client.chat_stream(**settings):
            match event.type:
                case "content-delta":
                    seen.piece(event.delta.message.content.text)
                    seen.thought += event.delta.message.content.thinking or ""
                case "tool-plan-delta":
                    seen.piece(event.delta.message.tool_plan)
                case "tool-call-start":
                    call = event.delta.message.tool_calls
                    seen.calls.append(
                        Call(id=call.id, name=call.function.name, arguments=call.function.arguments or "")
                    )
                case "tool-call-delta":
                    seen.calls[-1].arguments += event.delta.message.tool_calls.function.arguments
                case "message-end":
                    tokens = event.delta.usage.tokens
                    seen.usage = (tokens.input_tokens, tokens.output_tokens)
                    expected = "TOOL_CALL" if seen.calls else "COMPLETE"
                    assert event.delta.finish_reason == expected, event.delta.finish_reason
        assert seen.usage is not None, "the stream did not end"
        made = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in seen.calls
        ]
        said = {"tool_calls": made, "tool_plan": seen.text} if made else {"content": seen.text}
        history.append({"role": "assistant"} | {name: value for name, value in said.items() if value})
        for call in seen.calls:
            call.arguments = json.loads(call.arguments)
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append({"role": "tool", "tool_call_id": call.id, "content": result})


if __name__ == "__main__":
    errands.run({"cohere": Chat})

"""LiteLLM's SDK, as a client of each format that it speaks: OpenAI's two, Anthropic's and Gemini's."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import errands
import litellm
from errands import (
    DESCRIPTION,
    FORECAST_SCHEMA,
    PNG,
    READ_RESULTS,
    RESULTS,
    SCHEMA,
    SYSTEM,
    TOOL,
    Ask,
    Call,
    Place,
    Seen,
)

litellm.suppress_debug_info = True


class _Completion:
    shows_thoughts = True
    results = RESULTS
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


class GeminiStyle(_Completion):
    """`gemini/…`."""

    style = "gemini"
    results = READ_RESULTS

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._settings["api_base"] = f"{place.url}/v1beta"
        model = self._settings["model"]
        if not litellm.supports_function_calling(model):  # of models that it does not know it leaves all out
            able = dict.fromkeys(
                ("function_calling", "system_messages", "response_schema", "reasoning"), True
            )
            known = {f"supports_{name}": value for name, value in able.items()}
            litellm.register_model({model: {"litellm_provider": "gemini", "mode": "chat", **known}})


class Responses:
    """`litellm.responses`, without the vendor's memory of conversations."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._settings: dict[str, Any] = {"model": f"openai/{place.model}", "api_base": f"{place.url}/v1"}
        self._settings |= {"api_key": place.key, "max_retries": 0, "instructions": SYSTEM, "store": False}

    def begin(self, text: str) -> list[Any]:
        return [{"role": "user", "content": text}]

    def look(self) -> list[Any]:
        picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}
        return [{"role": "user", "content": [{"type": "input_text", "text": "What is it?"}, picture]}]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        settings = self._settings | {"input": history}
        if ask.tools:
            tool = {"type": "function", "name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
            settings["tools"] = [tool | {"strict": False}]
        if ask.thinks:
            settings["reasoning"] = {"effort": "low", "summary": "auto"}
            settings["include"] = ["reasoning.encrypted_content"]
        if ask.schema:
            form = {"type": "json_schema", "name": "forecast", "schema": FORECAST_SCHEMA, "strict": True}
            settings["text"] = {"format": form}
        seen = Seen()
        answer = litellm.responses(**settings, stream=ask.stream)
        if ask.stream:
            answer = self._streamed(answer, seen)
        assert answer.status == "completed", f"the response is {answer.status}"
        seen.text = "".join(
            part.text for item in answer.output if item.type == "message" for part in item.content
        )
        seen.usage = (answer.usage.input_tokens, answer.usage.output_tokens)
        for item in answer.output:
            if item.type == "function_call":
                seen.calls.append(Call(id=item.call_id, name=item.name, arguments=json.loads(item.arguments)))
            elif item.type == "reasoning":
                seen.thought += "".join(_field(part, "text") for part in item.summary or ())
            history.append(item.model_dump(exclude_none=True, exclude={"status"}))
        return seen

    def _streamed(self, stream: Any, seen: Seen) -> Any:
        answer = None
        for event in stream:
            if event.type == "response.output_text.delta":
                seen.piece(event.delta)
            elif event.type == "response.completed":
                answer = event.response
        assert answer is not None, "the stream ended without its last event"
        return answer

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append({"type": "function_call_output", "call_id": call.id, "output": result})


def _field(part: Any, name: str) -> str:
    return str(part[name] if isinstance(part, dict) else getattr(part, name))


if __name__ == "__main__":
    errands.run(
        {
            "litellm openai": OpenAIStyle,
            "litellm responses": Responses,
            "litellm anthropic": AnthropicStyle,
            "litellm gemini": GeminiStyle,
        }
    )

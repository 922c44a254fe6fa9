"""Google's Gen AI SDK."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import errands
from errands import DESCRIPTION, FORECAST_SCHEMA, PNG, RESULTS, SCHEMA, SYSTEM, TOOL, Ask, Call, Place, Seen
from google import genai
from google.genai import types


def _client(place: Place) -> genai.Client:
    return genai.Client(api_key=place.key, http_options=types.HttpOptions(base_url=place.url))


class GenerateContent:
    """generateContent."""

    shows_thoughts = True
    results = RESULTS

    def __init__(self, place: Place) -> None:
        self._client = _client(place)
        self._model = place.model

    def begin(self, text: str) -> list[Any]:
        return [types.UserContent(text)]

    def look(self) -> list[Any]:
        return [
            types.UserContent(
                [types.Part.from_bytes(data=b64decode(PNG), mime_type="image/png"), "What is it?"]
            )
        ]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        config = types.GenerateContentConfig(system_instruction=SYSTEM)
        if ask.tools:
            function = types.FunctionDeclaration(
                name=TOOL, description=DESCRIPTION, parameters_json_schema=SCHEMA
            )
            config.tools = [types.Tool(function_declarations=[function])]
            config.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
        if ask.thinks:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
        if ask.schema:
            config.response_mime_type = "application/json"
            config.response_json_schema = FORECAST_SCHEMA
        asked: dict[str, Any] = {"model": self._model, "contents": history, "config": config}
        if ask.stream:
            answers = list(self._client.models.generate_content_stream(**asked))
        else:
            answers = [self._client.models.generate_content(**asked)]
        seen = Seen()
        parts = [part for each in answers for part in (each.candidates[0].content.parts or ())]
        for part in parts:
            if part.function_call:
                call = part.function_call
                seen.calls.append(
                    Call(id=call.id or str(len(seen.calls)), name=call.name, arguments=call.args)
                )
            elif part.thought:
                seen.thought += part.text or ""
            else:
                seen.piece(part.text)
        usage = answers[-1].usage_metadata
        seen.usage = (usage.prompt_token_count, usage.candidates_token_count)
        reason = answers[-1].candidates[0].finish_reason
        assert reason == types.FinishReason.STOP, f"finished by {reason}"
        history.append(types.Content(role="model", parts=parts))
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        ids = [part.function_call.id for part in history[-1].parts if part.function_call]
        parts = [
            types.Part(
                function_response=types.FunctionResponse(id=id_, name=call.name, response={"result": result})
            )
            for id_, call, result in zip(ids, calls, results, strict=True)
        ]
        history.append(types.Content(role="user", parts=parts))


def _count(place: Place) -> None:
    client = _client(place)  # it closes when it is let go
    assert client.models.count_tokens(model=place.model, contents="hello").total_tokens > 0


if __name__ == "__main__":
    errands.run({"google-genai": GenerateContent}, {"count_tokens": _count})

"""LangChain: ChatOpenAI in both of its formats, ChatAnthropic and ChatGoogleGenerativeAI."""

from __future__ import annotations

from typing import Any, ClassVar

import errands
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
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

_PICTURE = {"type": "image", "base64": PNG, "mime_type": "image/png"}


class _Chat:
    shows_thoughts = False  # where, differs by their versions
    results = RESULTS
    form: ClassVar[dict[str, Any]] = {}

    def __init__(self, place: Place) -> None:
        self._place = place

    def model(self, ask: Ask) -> Any:
        raise NotImplementedError

    def begin(self, text: str) -> list[Any]:
        return [SystemMessage(SYSTEM), HumanMessage(text)]

    def look(self) -> list[Any]:
        return [HumanMessage([{"type": "text", "text": "What is it?"}, _PICTURE])]

    def ask(self, history: list[Any], ask: Ask) -> Seen:
        model = self.model(ask)
        if ask.tools:
            function = {"name": TOOL, "description": DESCRIPTION, "parameters": SCHEMA}
            model = model.bind_tools([{"type": "function", "function": function}])
        if ask.schema:
            model = model.bind(**self.form)
        seen = Seen()
        if ask.stream:
            message = None
            for chunk in model.stream(history):
                assert isinstance(chunk, AIMessageChunk)
                seen.piece(str(chunk.text))
                message = chunk if message is None else message + chunk
        else:
            message = model.invoke(history)
        seen.text = str(message.text)
        seen.calls = [
            Call(id=call["id"], name=call["name"], arguments=call["args"]) for call in message.tool_calls
        ]
        usage = message.usage_metadata
        seen.usage = (usage["input_tokens"], usage["output_tokens"]) if usage else None
        history.append(message)
        return seen

    def answer(self, history: list[Any], calls: list[Call], results: list[str]) -> None:
        for call, result in zip(calls, results, strict=True):
            history.append(ToolMessage(result, tool_call_id=call.id))


class OpenAIChat(_Chat):
    """ChatOpenAI."""

    form: ClassVar[dict[str, Any]] = {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "forecast", "schema": FORECAST_SCHEMA, "strict": True},
        }
    }

    def model(self, ask: Ask) -> Any:
        place = self._place
        thinking: dict[str, Any] = {"reasoning_effort": "low"} if ask.thinks else {}
        return ChatOpenAI(
            base_url=f"{place.url}/v1",
            api_key=place.key,
            model=place.model,
            max_retries=0,
            use_responses_api=False,
            stream_usage=True,
            **thinking,
        )


class OpenAIResponses(_Chat):
    """ChatOpenAI, asking in Responses, without the vendor's memory of conversations."""

    form: ClassVar[dict[str, Any]] = {
        "text": {
            "format": {"type": "json_schema", "name": "forecast", "schema": FORECAST_SCHEMA, "strict": True}
        }
    }

    def model(self, ask: Ask) -> Any:
        place = self._place
        thinking: dict[str, Any] = {"reasoning": {"effort": "low", "summary": "auto"}} if ask.thinks else {}
        return ChatOpenAI(
            base_url=f"{place.url}/v1",
            api_key=place.key,
            model=place.model,
            max_retries=0,
            use_responses_api=True,
            store=False,
            include=["reasoning.encrypted_content"] if ask.thinks else None,
            **thinking,
        )


class GoogleChat(_Chat):
    """ChatGoogleGenerativeAI. It sends a temperature of its own where it is given none."""

    results = READ_RESULTS

    form: ClassVar[dict[str, Any]] = {
        "response_mime_type": "application/json",
        "response_json_schema": FORECAST_SCHEMA,
    }

    def model(self, ask: Ask) -> Any:
        place = self._place
        thinking: dict[str, Any] = (
            {"thinking_config": {"thinking_budget": 1000, "include_thoughts": True}} if ask.thinks else {}
        )
        return ChatGoogleGenerativeAI(
            base_url=place.url,
            google_api_key=place.key,
            model=place.model,
            max_retries=1,
            temperature=1.0,
            **thinking,
        )


class AnthropicChat(_Chat):
    """ChatAnthropic."""

    form: ClassVar[dict[str, Any]] = {
        "output_config": {"format": {"type": "json_schema", "schema": FORECAST_SCHEMA}}
    }

    def model(self, ask: Ask) -> Any:
        place = self._place
        thinking: dict[str, Any] = (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}} if ask.thinks else {}
        )
        return ChatAnthropic(
            base_url=place.url,
            api_key=place.key,
            model=place.model,
            max_retries=0,
            max_tokens=4000,
            **thinking,
        )


if __name__ == "__main__":
    errands.run(
        {
            "langchain ChatOpenAI": OpenAIChat,
            "langchain ChatOpenAI, Responses": OpenAIResponses,
            "langchain ChatAnthropic": AnthropicChat,
            "langchain ChatGoogle": GoogleChat,
        }
    )

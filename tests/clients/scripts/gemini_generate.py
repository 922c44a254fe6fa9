"""The Google Gen AI SDK at the Gemini API."""

from __future__ import annotations

import argparse

from google import genai
from google.genai import types
from reporting import EARLIER_CALL, TOOL_SCHEMA, Outcome, run


def ask(arguments: argparse.Namespace, outcome: Outcome) -> None:
    """Make the call. The SDK always checks the answer's shape, so `--strict` changes nothing here."""
    client = genai.Client(http_options=types.HttpOptions(base_url=arguments.base_url))
    contents = [types.Content(role="user", parts=[types.Part(text=arguments.prompt)])]
    if arguments.tool_result is not None:
        call = types.Part.from_function_call(name=arguments.tool_name, args=EARLIER_CALL)
        result = types.Part.from_function_response(
            name=arguments.tool_name, response={"result": arguments.tool_result}
        )
        contents += [types.Content(role="model", parts=[call]), types.Content(role="user", parts=[result])]
    declaration = types.FunctionDeclaration(name=arguments.tool_name, parameters_json_schema=TOOL_SCHEMA)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])] if arguments.tools else None,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    asked = {"model": arguments.model, "contents": contents, "config": config}
    if arguments.stream:
        for chunk in client.models.generate_content_stream(**asked):
            for part in chunk.parts or ():
                take(part, outcome, outcome.piece)
        return
    answer = client.models.generate_content(**asked)
    for part in answer.parts or ():
        take(part, outcome, lambda text: setattr(outcome, "text", outcome.text + text))


def take(part: types.Part, outcome: Outcome, on_text: object) -> None:
    """Sort one part of an answer."""
    if part.text:
        on_text(part.text)
    if part.function_call:
        outcome.call(part.function_call.name, dict(part.function_call.args or {}))


run(ask, model="gemini-2.5-flash")

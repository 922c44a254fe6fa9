"""The OpenAI SDK at the Responses API."""

from __future__ import annotations

import argparse
import json

from openai import OpenAI
from reporting import EARLIER_CALL, TOOL_SCHEMA, Outcome, run


def ask(arguments: argparse.Namespace, outcome: Outcome) -> None:
    """Make the call. A stream goes through the SDK's accumulator, which checks that the events fit together."""
    client = OpenAI(base_url=arguments.base_url, _strict_response_validation=arguments.strict)
    items: list[dict[str, object]] = [{"role": "user", "content": arguments.prompt}]
    if arguments.tool_result is not None:
        items += [
            {
                "type": "function_call",
                "call_id": "call_earlier",
                "name": arguments.tool_name,
                "arguments": json.dumps(EARLIER_CALL),
            },
            {"type": "function_call_output", "call_id": "call_earlier", "output": arguments.tool_result},
        ]
    tool = {"type": "function", "name": arguments.tool_name, "parameters": TOOL_SCHEMA, "strict": False}
    settings = {"tools": [tool]} if arguments.tools else {}
    if arguments.stream:
        with client.responses.stream(model=arguments.model, input=items, **settings) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    outcome.piece(event.delta)
            answer = stream.get_final_response()
    else:
        answer = client.responses.create(model=arguments.model, input=items, **settings)
        outcome.text = answer.output_text
    for item in answer.output:
        if item.type == "function_call":
            outcome.call(item.name, item.arguments)


run(ask, model="gpt-4.1")

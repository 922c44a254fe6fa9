"""The OpenAI SDK at the Chat Completions API."""

from __future__ import annotations

import argparse
import json

from openai import OpenAI
from reporting import EARLIER_CALL, TOOL_SCHEMA, Outcome, run


def ask(arguments: argparse.Namespace, outcome: Outcome) -> None:
    """Make the call."""
    client = OpenAI(base_url=arguments.base_url, _strict_response_validation=arguments.strict)
    messages = [{"role": "user", "content": arguments.prompt}]
    if arguments.tool_result is not None:
        function = {"name": arguments.tool_name, "arguments": json.dumps(EARLIER_CALL)}
        call = {"id": "call_earlier", "type": "function", "function": function}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_earlier", "content": arguments.tool_result},
        ]
    function = {"name": arguments.tool_name, "description": "Looks something up.", "parameters": TOOL_SCHEMA}
    settings = {"tools": [{"type": "function", "function": function}]} if arguments.tools else {}
    if not arguments.stream:
        answer = client.chat.completions.create(model=arguments.model, messages=messages, **settings)
        message = answer.choices[0].message
        outcome.text = message.content or ""
        for call in message.tool_calls or ():
            outcome.call(call.function.name, call.function.arguments)
        return
    calls: dict[int, list[str]] = {}
    counted = {"stream": True, "stream_options": {"include_usage": True}}
    stream = client.chat.completions.create(model=arguments.model, messages=messages, **settings, **counted)
    for chunk in stream:
        for choice in chunk.choices:
            if choice.delta.content:
                outcome.piece(choice.delta.content)
            for call in choice.delta.tool_calls or ():
                name, text = call.function.name or "", call.function.arguments or ""
                known = calls.setdefault(call.index, ["", ""])
                calls[call.index] = [known[0] + name, known[1] + text]
    for name, text in calls.values():
        outcome.call(name, text)


run(ask, model="gpt-4.1")

"""The Anthropic SDK at the Messages API."""

from __future__ import annotations

import argparse

from anthropic import Anthropic
from reporting import EARLIER_CALL, TOOL_SCHEMA, Outcome, run


def ask(arguments: argparse.Namespace, outcome: Outcome) -> None:
    """Make the call. A stream goes through the SDK's accumulator."""
    client = Anthropic(base_url=arguments.base_url, _strict_response_validation=arguments.strict)
    messages: list[dict[str, object]] = [{"role": "user", "content": arguments.prompt}]
    if arguments.tool_result is not None:
        use = {"type": "tool_use", "id": "toolu_earlier", "name": arguments.tool_name, "input": EARLIER_CALL}
        result = {"type": "tool_result", "tool_use_id": "toolu_earlier", "content": arguments.tool_result}
        messages += [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    settings = (
        {"tools": [{"name": arguments.tool_name, "input_schema": TOOL_SCHEMA}]} if arguments.tools else {}
    )
    asked = {"model": arguments.model, "max_tokens": 1024, "messages": messages, **settings}
    if arguments.stream:
        with client.messages.stream(**asked) as stream:
            for text in stream.text_stream:
                outcome.piece(text)
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**asked)
        outcome.text = "".join(block.text for block in answer.content if block.type == "text")
    for block in answer.content:
        if block.type == "tool_use":
            outcome.call(block.name, block.input)


run(ask, model="claude-sonnet-4-5")

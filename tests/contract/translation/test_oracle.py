"""The translators beside llm-rosetta, where it is right.

What it does otherwise is brought to one spelling (`meaning`), or not compared where it is wrong: cache tokens in usage,
ids, forced tools with thinking.
"""

from __future__ import annotations

import warnings
from typing import Any

import orjson
import pytest
from llm_rosetta import convert

from agent.translation.base import Losses
from agent.translation.registry import translator

TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {}}},
}
CALLS = [
    {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"in":"Bern"}'},
    }
    for number in (1, 2)
]
CHAT = {
    "words": {"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hello"}]},
    "sampling": {
        "messages": [{"role": "user", "content": "hello"}],
        "temperature": 0.5,
        "stop": ["x"],
        "max_tokens": 99,
    },
    "image": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is it?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC"}},
                ],
            }
        ]
    },
    "tools": {
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": "I look.", "tool_calls": CALLS},
            {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            {"role": "tool", "tool_call_id": "call_2", "content": "sun"},
        ],
        "tools": [TOOL],
        "tool_choice": "required",
    },
}


def ours(body: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    reader, writer = translator(source), translator(target)
    assert reader is not None
    assert writer is not None
    losses = Losses(target=target)
    request = writer.write_request(reader.read_request("", "", orjson.dumps(body)), losses)
    assert losses.settle() == ()
    return dict(orjson.loads(request.body))


def theirs(body: dict[str, Any], source: str, target: str) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(orjson.loads(orjson.dumps(convert(body, target, source))))


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """Spellings that mean the same, and hints that it adds: one text as a string or as a block, neighbouring user
    messages, `detail: auto`, `cache_control`."""
    found = _plain({key: value for key, value in body.items() if value not in (None, False)})
    messages: list[dict[str, Any]] = []
    for message in found["messages"]:
        if messages and message["role"] == messages[-1]["role"] == "user":
            messages[-1]["content"] += message["content"]
        else:
            messages.append(message)
    stop = found.pop("stop", None)
    return {**found, "messages": messages, "stop": [stop] if isinstance(stop, str) else stop}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    added = ("cache_control", "detail", "caller")
    found = {key: _plain(item) for key, item in value.items() if key not in added and item is not None}
    for key in ("content", "system"):
        if isinstance(found.get(key), str):
            found[key] = [{"type": "text", "text": found[key]}]
    if isinstance(found.get("arguments"), str):
        found["arguments"] = orjson.loads(found["arguments"])
    return found


@pytest.mark.parametrize("name", CHAT)
def test_chat_to_messages(name: str) -> None:
    body = {"model": "claude-3-7-sonnet", "max_tokens": 50, **CHAT[name]}
    mine = meaning(ours(body, "openai-chat", "anthropic-messages"))
    other = meaning(theirs(body, "openai_chat", "anthropic"))
    assert mine == other


@pytest.mark.parametrize("name", CHAT)
def test_messages_to_chat(name: str) -> None:
    body = ours(
        {"model": "claude-3-7-sonnet", "max_tokens": 50, **CHAT[name]}, "openai-chat", "anthropic-messages"
    )
    mine = meaning(ours(body, "anthropic-messages", "openai-chat"))
    other = meaning(theirs(body, "anthropic", "openai_chat"))
    limits = {
        each.pop("max_completion_tokens", None) or each.pop("max_tokens", None) for each in (mine, other)
    }
    assert limits == {body["max_tokens"]}
    assert mine == other

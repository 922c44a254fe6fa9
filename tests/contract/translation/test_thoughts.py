"""A thought finds back to who thought it: through a client of another format, which hands back what it was given.

Providers refuse the results of tools without the thought that led to the call, unchanged. So each provider's signed or
sealed thought goes into each client's answer; the client sends it back as that format's clients do; and what is then
written for the provider holds the same thought.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from agent.model.conversation import Choice, Conversation, Finish, Reply, Text, Thinking, ToolCall
from agent.translation.base import Losses, Translator
from agent.translation.registry import TRANSLATORS
from tests.contract.translation.meaning import path_for

FORMATS = {each.name: each for each in TRANSLATORS}
CALL = ToolCall(id="call_1", name="weather", arguments='{"town":"Bern"}')
SIGNED = Thinking(text="Ask the sky.", signature="c2lnbmVk")
SEALED = Thinking(sealed="c2VhbGVk")
THOUGHTS: Mapping[str, tuple[Thinking, ...]] = {  # as each provider thinks
    "anthropic-messages": (SIGNED, SEALED),
    "bedrock-converse": (SIGNED, SEALED),
    "openai-responses": (Thinking(text="Ask the sky.", sealed="gAAAA_sealed", id="rs_1"),),
    "gemini-generate-content": (Thinking(text="Ask the sky.", signature="gemini:c2lnbmVk"),),
}
FORGETFUL = {"cohere-chat"}  # whose messages have no room for a seal
MODELS = {
    "anthropic-messages": "claude-sonnet-4-5",
    "bedrock-converse": "anthropic.claude-sonnet-4-5-v1:0",
    "openai-responses": "gpt-5",
    "gemini-generate-content": "gemini-3-pro-preview",
}


def echoed(client: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The request with which a client goes on: its question, the answer as it came, the tool's result."""
    match client:
        case "openai-chat":
            result = {"role": "tool", "tool_call_id": "call_1", "content": "sun"}
            message = answer["choices"][0]["message"]
            return {"model": "m", "messages": [{"role": "user", "content": "Weather?"}, message, result]}
        case "openai-responses":
            result = {"type": "function_call_output", "call_id": "call_1", "output": "sun"}
            return {
                "model": "m",
                "input": [{"role": "user", "content": "Weather?"}, *answer["output"], result],
            }
        case "anthropic-messages":
            result = {"type": "tool_result", "tool_use_id": "call_1", "content": "sun"}
            return {
                "model": "m",
                "max_tokens": 100,
                "messages": [
                    {"role": "user", "content": "Weather?"},
                    {"role": "assistant", "content": answer["content"]},
                    {"role": "user", "content": [result]},
                ],
            }
        case "gemini-generate-content":
            answered = {"id": "call_1", "name": "weather", "response": {"output": "sun"}}
            return {
                "contents": [
                    {"role": "user", "parts": [{"text": "Weather?"}]},
                    answer["candidates"][0]["content"],
                    {"role": "user", "parts": [{"functionResponse": answered}]},
                ]
            }
        case "bedrock-converse":
            result = {"toolResult": {"toolUseId": "call_1", "content": [{"text": "sun"}]}}
            return {
                "messages": [
                    {"role": "user", "content": [{"text": "Weather?"}]},
                    answer["output"]["message"],
                    {"role": "user", "content": [result]},
                ]
            }
        case _:
            result = {"role": "tool", "tool_call_id": "call_1", "content": "sun"}
            return {
                "model": "m",
                "messages": [{"role": "user", "content": "Weather?"}, answer["message"], result],
            }


def going_on(client: Translator, reply: Reply, model: str) -> Conversation:
    """What the client of that format asks next, after this answer."""
    request = echoed(client.name, orjson.loads(client.write_answer(reply)))
    if "model" in request:
        request["model"] = model
    path, query = path_for(client, model)
    conversation = client.read_request(path, query, orjson.dumps(request))
    assert conversation.unread == ()
    return conversation


def thoughts_for(provider: Translator, conversation: Conversation) -> list[Thinking]:
    """The thoughts that the provider is sent."""
    body = provider.write_request(conversation, Losses(target="x", drop=True)).body
    path, query = path_for(provider, conversation.model)
    turns = provider.read_request(path, query, body).turns
    return [part for turn in turns for part in turn.parts if isinstance(part, Thinking)]


def replying(thoughts: tuple[Thinking, ...], model: str) -> Reply:
    choice = Choice(parts=(*thoughts, Text(text="I ask."), CALL), finish=Finish.TOOL_CALLS)
    return Reply(id="r1", model=model, choices=(choice,))


@pytest.mark.parametrize("client", sorted(FORMATS.keys() - FORGETFUL))
@pytest.mark.parametrize("provider", sorted(THOUGHTS))
def test_a_thought_comes_back_unchanged(client: str, provider: str) -> None:
    thinker, model = FORMATS[provider], MODELS[provider]
    made = thinker.read_answer(thinker.write_answer(replying(THOUGHTS[provider], model)))
    conversation = going_on(FORMATS[client], made, model)
    kept = thoughts_for(thinker, conversation)
    assert [(each.signature, each.sealed, each.id) for each in kept] == [
        (each.signature, each.sealed, each.id) for each in THOUGHTS[provider]
    ]
    assert all(each.text in ("", "Ask the sky.") for each in kept)


@pytest.mark.parametrize("client", ["anthropic-messages", "bedrock-converse", "openai-chat"])
@pytest.mark.parametrize("provider", ["anthropic-messages", "bedrock-converse"])
def test_a_signed_thought_comes_back_with_its_words(client: str, provider: str) -> None:
    model = MODELS[provider]
    conversation = going_on(FORMATS[client], replying((SIGNED,), model), model)
    assert thoughts_for(FORMATS[provider], conversation) == [SIGNED]


@pytest.mark.parametrize("client", sorted(FORMATS))
@pytest.mark.parametrize("provider", sorted(THOUGHTS))
@pytest.mark.parametrize("thinker", ["openai-responses", "gemini-generate-content"])
def test_a_thought_never_goes_to_another_provider(client: str, provider: str, thinker: str) -> None:
    """Each refuses what it did not sign. (Behind Anthropic and Bedrock is the same model.)"""
    model = MODELS[provider]
    conversation = going_on(FORMATS[client], replying(THOUGHTS[thinker], model), model)
    sent = thoughts_for(FORMATS[provider], conversation)
    assert bool(sent) is (provider == thinker and client not in FORGETFUL)

"""Which family a model behind Converse belongs to, and what it takes."""

from __future__ import annotations

import orjson
import pytest

from agent.model.conversation import Conversation, Sampling
from agent.translation.base import Losses
from agent.translation.bedrock_converse import BedrockConverse
from agent.translation.bedrock_converse.families import FAMILIES, family_of


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", "claude-3"),
        ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "claude-3.7"),
        ("anthropic.claude-sonnet-4-20250514-v1:0", "claude-3.7"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-4.1"),
        ("eu.anthropic.claude-opus-4-7-v1", "claude-4.7"),
        ("anthropic.claude-sonnet-9", "claude-4.7"),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-2-lite-v1:0", "nova-2"),
        ("amazon.nova-pro-v1:0", "nova-1"),
        ("openai.gpt-oss-120b-1:0", "gpt-oss"),
        ("meta.llama3-1-70b-instruct-v1:0", ""),
        ("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", ""),
    ],
)
def test_a_models_id_tells_its_family(model: str, family: str) -> None:
    assert family_of(model) is FAMILIES[family]


def test_the_catalog_tells_it_where_the_id_does_not() -> None:
    assert (
        family_of("arn:aws:bedrock:1:application-inference-profile/abc", "claude-4.1")
        is FAMILIES["claude-4.1"]
    )
    assert family_of("m", "unheard") is FAMILIES[""]


@pytest.mark.parametrize(
    ("model", "temperature", "kept", "lost"),
    [
        ("meta.llama3", 0.5, {"temperature": 0.5, "topP": 0.75}, ()),
        ("anthropic.claude-sonnet-4-5-x", 0.5, {"temperature": 0.5}, ("sampling.top_p",)),
        ("anthropic.claude-sonnet-4-5-x", 1.0, {"topP": 0.75}, ()),
        ("anthropic.claude-opus-4-7", 0.5, None, ("sampling.temperature", "sampling.top_p")),
    ],
)
def test_newer_claudes_are_not_drawn_from_in_two_ways(
    model: str, temperature: float, kept: object, lost: tuple[str, ...]
) -> None:
    losses = Losses(target="Bedrock", drop=True)
    sampling = Sampling(temperature=temperature, top_p=0.75)
    request = BedrockConverse().write_request(Conversation(model=model, turns=(), sampling=sampling), losses)
    assert orjson.loads(request.body).get("inferenceConfig") == kept
    assert losses.settle() == lost

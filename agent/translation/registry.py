"""The formats that can be translated, by the catalog's names."""

from __future__ import annotations

from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.base import ProviderTranslator, Translator
from agent.translation.bedrock_converse import BedrockConverse
from agent.translation.cohere_chat import CohereChat
from agent.translation.gemini_generate import GeminiGenerate
from agent.translation.openai_chat import OpenAIChat
from agent.translation.openai_responses import OpenAIResponses
from agent.translation.replicate_predictions import ReplicatePredictions

TRANSLATORS: tuple[Translator, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AnthropicMessages(),
    GeminiGenerate(),
    BedrockConverse(),
    CohereChat(),
)


def translator(name: str) -> Translator | None:
    """The translator of the format `name`, None where there is none."""
    return next((each for each in TRANSLATORS if each.name == name), None)


PROVIDERS_ONLY: tuple[ProviderTranslator, ...] = (ReplicatePredictions(),)
"""Formats in which the gateway asks and is never asked."""


def provider_translator(name: str) -> ProviderTranslator | None:
    """The translator for providers that speak the format `name`, None where there is none."""
    return translator(name) or next((each for each in PROVIDERS_ONLY if each.name == name), None)

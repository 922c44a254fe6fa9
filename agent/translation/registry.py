"""The formats that can be translated, by the catalog's names."""

from __future__ import annotations

from agent.translation.anthropic_messages import AnthropicMessages
from agent.translation.base import Translator
from agent.translation.openai_chat import OpenAIChat

TRANSLATORS: tuple[Translator, ...] = (OpenAIChat(), AnthropicMessages())


def translator(name: str) -> Translator | None:
    """The translator of the format `name`, None where there is none."""
    return next((each for each in TRANSLATORS if each.name == name), None)

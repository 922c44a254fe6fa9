"""The wire formats in which AI services are spoken to, one module each, and the table that names them.

A dialect is pure: bytes and values in, values out (see `base`). The order of the table means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.dialects import opaque
from agent.dialects.anthropic_messages import AnthropicMessages
from agent.dialects.base import Dialect
from agent.dialects.bedrock_converse import BedrockConverse
from agent.dialects.bedrock_invoke import BedrockInvoke
from agent.dialects.codewhisperer import CodeWhisperer
from agent.dialects.cohere_chat import CohereChat
from agent.dialects.cohere_v1 import CohereV1
from agent.dialects.gemini_generate import GeminiGenerate
from agent.dialects.ollama_native import OllamaNative
from agent.dialects.openai_chat import OpenAIChat
from agent.dialects.openai_files import OpenAIFiles
from agent.dialects.openai_responses import OpenAIResponses

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            OpenAIChat(),
            OpenAIResponses(),
            AnthropicMessages(),
            GeminiGenerate(),
            BedrockConverse(),
            CohereChat(),
            BedrockInvoke(),
            CodeWhisperer(),
            CohereV1(),
            OllamaNative(),
            OpenAIFiles(),
        )
    }
)

NAMES = frozenset((*DIALECTS, opaque.NAME))
"""What a catalog row may say is spoken at a path: a dialect, or nothing that can be read."""


def get(name: str) -> Dialect | None:
    """The dialect of that name, None where there is none."""
    return DIALECTS.get(name)

"""The wire formats in which AI services are spoken to, one module each, and the table that names them.

A dialect is pure: bytes and values in, values out (see `base`). The order of the table means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.dialects.anthropic_messages import AnthropicMessages
from agent.dialects.base import Dialect, Voice
from agent.dialects.bedrock_converse import BedrockConverse
from agent.dialects.bedrock_invoke import BedrockInvoke
from agent.dialects.chatgpt.web import ChatGPTDraft, ChatGPTWeb
from agent.dialects.claude_web import ClaudeWeb
from agent.dialects.codewhisperer import CodeWhisperer
from agent.dialects.cohere_chat import CohereChat
from agent.dialects.cohere_v1 import CohereV1
from agent.dialects.gemini_generate import GeminiGenerate
from agent.dialects.gemini_web import GeminiRpc, GeminiWeb
from agent.dialects.ollama_native import OllamaNative
from agent.dialects.openai_chat import OpenAIChat
from agent.dialects.openai_responses import OpenAIResponses
from agent.dialects.uploads import Upload, upload_dialects

_SPOKEN: tuple[Dialect, ...] = (
    OpenAIChat(),
    OpenAIResponses(),
    AnthropicMessages(),
    GeminiGenerate(),
    BedrockConverse(),
    CohereChat(),
    ChatGPTWeb(),
    ChatGPTDraft(),
    ClaudeWeb(),
    GeminiWeb(),
    GeminiRpc(),
    BedrockInvoke(),
    CodeWhisperer(),
    CohereV1(),
    OllamaNative(),
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({dialect.name: dialect for dialect in _SPOKEN})
"""In which models are asked."""

UPLOADS: Mapping[str, Upload] = MappingProxyType({dialect.name: dialect for dialect in upload_dialects()})
"""In which services are sent files, apart from the prompts that use them."""


def get(name: str) -> Dialect | None:
    """The dialect of that name in which models are asked, None where there is none."""
    return DIALECTS.get(name)


def voice(name: str) -> Voice:
    """Who says no in the dialect of that name, of either kind. Raises KeyError."""
    return UPLOADS[name] if name in UPLOADS else DIALECTS[name]

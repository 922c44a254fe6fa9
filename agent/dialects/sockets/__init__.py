"""The formats of the messages on WebSockets where models are asked, one module each, and the table that names them.

A catalog row's endpoint names its format as `socket`; see `base` for what a format does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.dialects.sockets.base import Heard, Said, SocketDialect, SocketSession
from agent.dialects.sockets.character_ai import CharacterSocket
from agent.dialects.sockets.chatgpt import ChatGPTSocket
from agent.dialects.sockets.gemini_live import LiveSocket
from agent.dialects.sockets.m365_copilot import M365Socket
from agent.dialects.sockets.microsoft_copilot import CopilotSocket
from agent.dialects.sockets.openai_realtime import RealtimeSocket
from agent.dialects.sockets.openai_responses import ResponsesSocket
from agent.dialects.sockets.poe import PoeSocket

__all__ = ["SOCKETS", "Heard", "Said", "SocketDialect", "SocketSession"]

_ALL: tuple[SocketDialect, ...] = (
    ResponsesSocket(),
    RealtimeSocket(),
    LiveSocket(),
    CopilotSocket(),
    M365Socket(),
    ChatGPTSocket(),
    CharacterSocket(),
    PoeSocket(),
)
SOCKETS: Mapping[str, SocketDialect] = MappingProxyType({each.name: each for each in _ALL})

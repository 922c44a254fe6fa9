"""Cohere's Chat API, version 2, both ways: requests, answers, streams.

Facts are of the Cohere API reference, "Chat" and "Chat with Streaming", and of the official SDK's types. Citations are
left out: no other API has them in this form.
"""

from __future__ import annotations

from agent.translation.cohere_chat.translator import CohereChat

__all__ = ["CohereChat"]

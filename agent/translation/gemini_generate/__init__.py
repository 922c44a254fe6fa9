"""Gemini `generateContent`, on the Gemini API and on Vertex AI, read into and written from the hub.

Source: the Gemini API reference ("GenerateContentRequest", "GenerateContentResponse", "Function calling", "Thought
signatures", "File input methods") and the official SDK's types.
"""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.base import NO_QUIRKS, Losses, Quirks, StreamSink, StreamSource, WireRequest
from agent.translation.gemini_generate import answers, requests, writing
from agent.translation.gemini_generate.sink import GeminiSink
from agent.translation.gemini_generate.source import GeminiSource


class GeminiGenerate:
    """The translator of `gemini-generate-content`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "gemini-generate-content"

    @property
    def stream_type(self) -> bytes:
        """Server-sent events (`alt=sse`)."""
        return b"text/event-stream"

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`; `path` names the model and whether it streams. Raises ContentError."""
        return requests.read(path, query, body)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request; the model goes into the path, and so does streaming (operation `chat_stream`)."""
        return writing.write(conversation, losses, quirks)

    def read_answer(self, body: bytes) -> Reply:
        """A whole response object. Raises ContentError."""
        return answers.read(body)

    def write_answer(self, reply: Reply) -> bytes:
        """A whole response object."""
        return answers.write(reply)

    def stream_source(self) -> StreamSource:
        """A reader of response objects, in server-sent events or in one JSON array."""
        return GeminiSource()

    def stream_sink(self, conversation: Conversation) -> StreamSink:
        """A writer of response objects in server-sent events."""
        return GeminiSink(conversation.model)

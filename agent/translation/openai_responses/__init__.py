"""OpenAI Responses, read into and written from the hub.

Source: the OpenAI API reference ("Responses", "Streaming events") and the official SDK's types and stream state.
"""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.base import NO_QUIRKS, Losses, Quirks, StreamSink, StreamSource, WireRequest
from agent.translation.openai_responses import answers, requests, writing
from agent.translation.openai_responses.sink import ResponsesSink
from agent.translation.openai_responses.source import ResponsesSource


class OpenAIResponses:
    """The translator of `openai-responses`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "openai-responses"

    @property
    def stream_type(self) -> bytes:
        """Server-sent events."""
        return b"text/event-stream"

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`; path and query say nothing here. Raises ContentError."""
        del path, query
        return requests.read(body)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request, without state at the provider (`store` is false)."""
        return writing.write(conversation, losses, quirks)

    def read_answer(self, body: bytes) -> Reply:
        """A whole response object. Raises ContentError."""
        return answers.read(body)

    def write_answer(self, reply: Reply) -> bytes:
        """A whole response object. The format has one answer: the first choice."""
        return answers.write(reply)

    def stream_source(self) -> StreamSource:
        """A reader of `response.*` events."""
        return ResponsesSource()

    def stream_sink(self, conversation: Conversation) -> StreamSink:
        """A writer of `response.*` events."""
        return ResponsesSink(conversation.model)

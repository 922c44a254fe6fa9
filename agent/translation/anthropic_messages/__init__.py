"""Anthropic Messages, between its wire format and the hub."""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.anthropic_messages.answers import read_answer, write_answer
from agent.translation.anthropic_messages.requests import read_request
from agent.translation.anthropic_messages.sinks import MessagesSink
from agent.translation.anthropic_messages.streams import MessagesSource
from agent.translation.anthropic_messages.writing import write_request
from agent.translation.base import NO_QUIRKS, Losses, Quirks, WireRequest


class AnthropicMessages:
    """The translator of `anthropic-messages`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "anthropic-messages"

    @property
    def stream_type(self) -> bytes:
        """Server-sent events."""
        return b"text/event-stream"

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`; a Vertex path names the model. Raises ContentError."""
        del query
        return read_request(path, body)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request for the provider."""
        return WireRequest(body=write_request(conversation, losses, quirks))

    def read_answer(self, body: bytes) -> Reply:
        """A whole answer. Raises ContentError."""
        return read_answer(body)

    def write_answer(self, reply: Reply) -> bytes:
        """The whole answer for the client."""
        return write_answer(reply)

    def stream_source(self) -> MessagesSource:
        """A reader for one stream."""
        return MessagesSource()

    def stream_sink(self, conversation: Conversation) -> MessagesSink:
        """A writer for the stream that answers `conversation`."""
        return MessagesSink(conversation)

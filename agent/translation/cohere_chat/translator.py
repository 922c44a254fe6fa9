"""The translator of `/v2/chat`: what the other modules of this package read and write."""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.base import NO_QUIRKS, Losses, Quirks, WireRequest
from agent.translation.cohere_chat import answers, reading, writing
from agent.translation.cohere_chat.streams import CohereSink, CohereSource


class CohereChat:
    """The format `cohere-chat`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "cohere-chat"

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return b"text/event-stream"

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`. Raises ContentError."""
        return reading.read_request(body)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request for Cohere."""
        return writing.write_request(conversation, losses, quirks)

    def read_answer(self, body: bytes) -> Reply:
        """A whole answer. Raises ContentError."""
        return answers.read_answer(body)

    def write_answer(self, reply: Reply) -> bytes:
        """The whole answer for the client."""
        return answers.write_answer(reply)

    def stream_source(self) -> CohereSource:
        """A reader for one stream."""
        return CohereSource()

    def stream_sink(self, conversation: Conversation) -> CohereSink:
        """A writer for one stream; its usage is always told, and its model never."""
        return CohereSink()

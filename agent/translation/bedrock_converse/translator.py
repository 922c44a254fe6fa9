"""The translator of Converse and ConverseStream: what the other modules of this package read and write."""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.base import NO_QUIRKS, Losses, Quirks, WireRequest
from agent.translation.bedrock_converse import answers, reading, writing
from agent.translation.bedrock_converse.streams import ConverseSink, ConverseSource


class BedrockConverse:
    """The format `bedrock-converse`. The model and whether to stream stand in the path."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "bedrock-converse"

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return b"application/vnd.amazon.eventstream"

    def read_request(self, path: str, query: str, body: bytes) -> Conversation:
        """The conversation in `body`. Raises ContentError."""
        return reading.read_request(path, body)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The request for Bedrock."""
        return writing.write_request(conversation, losses, quirks)

    def read_answer(self, body: bytes) -> Reply:
        """A whole answer. Raises ContentError."""
        return answers.read_answer(body)

    def write_answer(self, reply: Reply) -> bytes:
        """The whole answer for the client."""
        return answers.write_answer(reply)

    def stream_source(self) -> ConverseSource:
        """A reader for one stream."""
        return ConverseSource()

    def stream_sink(self, conversation: Conversation) -> ConverseSink:
        """A writer for one stream; its usage is always told, and its model never."""
        return ConverseSink()

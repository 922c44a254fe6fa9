"""The translator of predictions: what the other modules of this package read and write."""

from __future__ import annotations

from agent.model.conversation import Conversation, Reply
from agent.translation.base import NO_QUIRKS, Losses, Promise, Quirks, WireRequest
from agent.translation.replicate_predictions import answers, writing
from agent.translation.replicate_predictions.streams import PredictionSource


class ReplicatePredictions:
    """The format `replicate-predictions`."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The catalog's name of the format."""
        return "replicate-predictions"

    @property
    def stream_type(self) -> bytes:
        """The `content-type` of its streams."""
        return b"text/event-stream"

    @property
    def patient_fields(self) -> tuple[tuple[bytes, bytes], ...]:
        """RFC 7240; the server waits for up to a minute."""
        return ((b"prefer", b"wait"),)

    def write_request(
        self, conversation: Conversation, losses: Losses, quirks: Quirks = NO_QUIRKS
    ) -> WireRequest:
        """The prediction to be created."""
        return writing.write_request(conversation, losses, quirks)

    def read_promise(self, body: bytes) -> Promise:
        """How far a prediction is. Raises ContentError."""
        return answers.read_promise(body)

    def read_answer(self, body: bytes) -> Reply:
        """A prediction that has succeeded. Raises ContentError."""
        return answers.read_answer(body)

    def stream_source(self) -> PredictionSource:
        """A reader for one stream."""
        return PredictionSource()

"""Reads the stream of a prediction: server-sent events `output` (a piece of text), `error` and `done`.

Source: Replicate's documentation, "Streaming output". A `done` without a reason, or with an empty object, is success;
its reason may be `canceled` or `error`. Tokens are not counted in it, and nothing tells why a model stopped.
"""

from __future__ import annotations

import orjson

from agent.dialects.shapes import mapping, string
from agent.model.conversation import (
    ChoiceEnded,
    Ended,
    PartDelta,
    PartEnded,
    PartKind,
    PartStarted,
    Started,
    StreamEvent,
    StreamFailed,
)
from agent.translation.sources import EventSource

_MOST = 2_000  # characters of an error


class PredictionSource(EventSource):
    """Reads one stream."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._open = False
        self._over = False

    def _read(self, name: str, data: bytes) -> list[StreamEvent]:
        if self._over:
            return []
        text = data.decode("utf-8", "replace")
        match name:
            case "output" if text:
                return [*self._begin(), PartDelta(part=0, text=text)]
            case "error":
                return self._fail(_detail(text) or "the prediction failed", "error")
            case "done":
                reason = string(_object(text).get("reason"))
                return self._fail(f"the prediction ended: {reason}", reason) if reason else self._end()
            case _:
                return []

    def _begin(self) -> list[StreamEvent]:
        events: list[StreamEvent] = [] if self._begun else [Started()]
        if not self._open:
            events.append(PartStarted(part=0, kind=PartKind.TEXT))
        self._begun = self._open = True
        return events

    def _end(self) -> list[StreamEvent]:
        self._over = True
        closed: list[StreamEvent] = [PartEnded(part=0)] if self._open else []
        return [*([] if self._begun else [Started()]), *closed, ChoiceEnded(), Ended()]

    def _fail(self, message: str, kind: str) -> list[StreamEvent]:
        self._over = True
        return [StreamFailed(message=message[:_MOST], kind=kind)]


def _detail(text: str) -> str:
    """The words of an error, which is a JSON object with a `detail`, or plain text."""
    return string(_object(text).get("detail")) or text


def _object(text: str) -> dict[str, object]:
    try:
        return mapping(orjson.loads(text))
    except orjson.JSONDecodeError:
        return {}

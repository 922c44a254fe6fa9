"""How a stream ends that had begun and broke off: with an error event in the client's own format. Pure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent.gateway.unified.forms import CHAT, Forms
from agent.model.conversation import Conversation, Started, StreamFailed
from agent.translation.base import Translator
from agent.translation.registry import translator

BAD_GATEWAY = 502

type Failing = Callable[[str], bytes]
"""The last events of a stream that failed, with a message for whoever reads it."""


def failing(forms: Forms) -> Failing | None:
    """For the stream that answers a request; None where it is none, or none of a format that is known."""
    asked = forms.asked
    client = translator(asked.dialect)
    if client is None or not asked.stream or asked.operation != CHAT:
        return None
    return partial(_failed, client, asked.model)


def _failed(client: Translator, model: str, message: str) -> bytes:
    conversation = Conversation(model=model, turns=(), stream=True)
    sink = client.stream_sink(conversation)
    sink.write(Started(model=model))  # the client has the beginning already
    return sink.write(StreamFailed(message=message, kind="server_error", status=BAD_GATEWAY))

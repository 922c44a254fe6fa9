"""In which format a client is told no, or of an error, and with which status."""

from __future__ import annotations

import math

from agent.dialects import DIALECTS, opaque, raw_text
from agent.dialects.base import Voice
from agent.errors import UpstreamError
from agent.gateway import headers
from agent.gateway.dispatch import DispatchFailed
from agent.gateway.transport.base import FailureKind, Headers, TransportError


def voice(dialect: str, fields: Headers = ()) -> Voice:
    """What speaks to a client of the format `dialect`, in plain text where none is known. `fields` are of its
    request."""
    if dialect == opaque.NAME:
        return opaque.Opaque(headers.get(fields, b"content-type").decode("latin-1"))
    return DIALECTS[dialect] if dialect else raw_text.RawText()


def told(error: UpstreamError) -> tuple[int, Headers]:
    """The status that tells a client of an upstream's failure, and fields that go with it."""
    if isinstance(error, DispatchFailed):
        if error.retry_after is None:
            return error.status, ()
        return error.status, ((b"retry-after", str(math.ceil(error.retry_after)).encode()),)
    late = isinstance(error, TransportError) and error.kind is FailureKind.TIMEOUT
    return (504 if late else 502), ()

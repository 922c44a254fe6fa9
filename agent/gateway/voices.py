"""In which format a client is told no, or of an error, and with which status."""

from __future__ import annotations

import math

from agent.dialects import opaque, raw_text
from agent.dialects import voice as voice_of
from agent.dialects.base import Voice
from agent.dialects.faults import Fault
from agent.errors import UpstreamError
from agent.gateway import faults, headers
from agent.gateway.dispatch import DispatchFailed
from agent.gateway.ledger import Ledger
from agent.gateway.transport.base import FailureKind, Headers, TransportError


def voice(ledger: Ledger, fields: Headers = ()) -> Voice:
    """What speaks to the client of an exchange, in plain text where no format is known. `fields` are of its request."""
    if ledger.voice is not None:
        return ledger.voice
    if ledger.dialect == opaque.NAME:
        return opaque.Opaque(headers.get(fields, b"content-type").decode("latin-1"))
    if not ledger.dialect:
        return raw_text.RawText()
    return ledger.rules.dialects.get(ledger.dialect) or voice_of(ledger.dialect)


def fault_of(error: UpstreamError) -> Fault:
    """What an upstream's failure is about, beyond its status."""
    return faults.of_cause(error.cause) if isinstance(error, DispatchFailed) else Fault.UNSAID


def told(error: UpstreamError) -> tuple[int, Headers]:
    """The status that tells a client of an upstream's failure, and fields that go with it."""
    if isinstance(error, DispatchFailed):
        if error.retry_after is None:
            return error.status, ()
        return error.status, ((b"retry-after", str(math.ceil(error.retry_after)).encode()),)
    late = isinstance(error, TransportError) and error.kind is FailureKind.TIMEOUT
    return (504 if late else 502), ()

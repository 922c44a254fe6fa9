"""What refusals and failures are about, as errors of a client's own API name it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.accounts.denials import Kind
from agent.dialects.faults import Fault
from agent.routing.failures import Cause

_DENIALS: Mapping[Kind, Fault] = MappingProxyType({Kind.MODEL_BLOCKED: Fault.MODEL})
_CAUSES: Mapping[Cause, Fault] = MappingProxyType(
    {Cause.UNKNOWN_MODEL: Fault.MODEL, Cause.TOO_LONG: Fault.LENGTH}
)


def of_denial(kind: Kind) -> Fault:
    """What a denial of the accounts is about, beyond its status."""
    return _DENIALS.get(kind, Fault.UNSAID)


def of_cause(cause: Cause) -> Fault:
    """What the failure of a try is about, beyond its status."""
    return _CAUSES.get(cause, Fault.UNSAID)

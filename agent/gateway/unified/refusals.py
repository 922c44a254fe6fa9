"""What the accounts refuse, in the words of HTTP."""

from __future__ import annotations

from agent.accounts.denials import Denial
from agent.gateway import faults
from agent.gateway.routing import Refused
from agent.gateway.transport.base import Headers


def refusal(denial: Denial) -> Refused:
    """A denial of the accounts, as an error for the client."""
    fields: Headers = ((b"x-drawbridge-denied", denial.kind.value.encode()),)
    if denial.retry_after is not None:
        fields += ((b"retry-after", str(denial.retry_after).encode()),)
    return Refused(denial.status, denial.message, headers=fields, fault=faults.of_denial(denial.kind))

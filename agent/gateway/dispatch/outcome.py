"""What becomes of a dispatch: an answer to hand on, or one error that tells the true cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.errors import UpstreamError
from agent.gateway.dispatch.ports import Prepared
from agent.gateway.dispatch.relayed import Relayed
from agent.model.record import Attempt
from agent.routing.failures import Cause, Failure
from agent.routing.plan import Candidate, KeyRef

_HINTS: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.EXHAUSTED: "The provider refuses this gateway's keys, not yours: its administrator must replace them.",
        Cause.RATE_LIMITED: "Wait, or name fallbacks.",
        Cause.BUSY: "Wait, or allow the key more requests at a time.",
        Cause.BUDGET: "Name a fallback that has room.",
        Cause.UNTRANSLATABLE: "Leave it out, choose a provider that speaks the client's format, or let the policy drop "
        "it (routing: {untranslatable: drop}).",
        Cause.DNS: "Check the network connection.",
        Cause.CONNECT: "Check the network connection, and whether the provider is up.",
    }
)


@dataclass(slots=True, kw_only=True)
class Dispatched:
    """An answer, committed to: whatever happens now cannot be tried elsewhere. The caller owes `response` an `aclose`
    or its end.

    Its status is not always 200: an answer that says that the request itself is wrong is the client's to see, in the
    words and the dialect of the provider.
    """

    response: Relayed
    candidate: Candidate
    key: KeyRef
    prepared: Prepared
    trail: tuple[Attempt, ...]
    first_token_ms: float | None = None  # of a stream, from the try's begin; None where the answer came whole


class DispatchFailed(UpstreamError):
    """Nobody served the request. The message is ours and safe to show.

    `status` is what the client is told, `cause` the class of failure of the first candidate, whatever became of the
    others; `retry_after` is in seconds.
    """

    def __init__(self, failure: Failure, candidate: Candidate, trail: tuple[Attempt, ...]) -> None:
        others = len({(each.provider, each.model) for each in trail}) - 1
        more = f"; {others} more tried in vain" if others > 0 else ""
        # what the accounts say of a candidate is a sentence of its own; all else is told of the candidate
        joint = ": " if failure.cause is Cause.BUDGET else " "
        super().__init__(
            f"{candidate.name}{joint}{failure.message or failure.cause.value}{more}",
            hint=_HINTS.get(failure.cause, ""),
        )
        self.status = failure.client_status
        self.cause = failure.cause
        self.retry_after = failure.retry_after
        self.trail = trail

"""Whether people may have their AI traffic pass unseen for a while, and for how long at most."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from agent.policy.section import Section

MAX_REASON = 500
"""Characters of a reason."""


class PauseAllow(StrEnum):
    """Whether a pause may be had."""

    NEVER = "never"
    WITH_REASON = "with_reason"
    YES = "yes"


class Pausing(Section):
    """A pause: while it lasts, connections to AI services pass unseen, but for those hosts to which `fail` lets nothing
    pass. It ends by itself, and its start and end are events."""

    allow: PauseAllow = Field(
        default=PauseAllow.WITH_REASON,
        description="never; with_reason: only with a reason, which the audit trail keeps; yes.",
    )
    max_minutes: int = Field(default=60, ge=1, le=24 * 60, description="How long a pause may last.")

    def problem(self, minutes: int, reason: str) -> str:
        """Why a pause may not be had, or empty."""
        if self.allow is PauseAllow.NEVER:
            return "the policy allows no pause"
        if minutes > self.max_minutes:
            return f"the policy allows a pause of at most {self.max_minutes} minutes"
        if self.allow is PauseAllow.WITH_REASON and not reason.strip():
            return "the policy allows a pause only with a reason"
        return ""

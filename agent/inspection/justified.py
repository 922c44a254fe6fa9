"""Findings that somebody gave a reason for: how they are named without their values. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.model.findings import Finding

_BYTES = (
    16  # of the hash: no two values of a machine collide, and none can be found by trying without the key
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Justified:
    """The reasons in force, by guardrail and fingerprint, and the key that fingerprints are made with.

    Without a key there are no fingerprints: those of short values could be found by trying.
    """

    key: bytes = field(default=b"", repr=False)
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def fingerprint(self, finding: Finding, value: str) -> str:
        """The keyed hash of a finding's type and value, in hex; empty without a key."""
        if not self.key:
            return ""
        text = f"{finding.type}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, text, hashlib.sha256).digest()[:_BYTES].hex()

    def reason(self, guardrail: str, fingerprint: str) -> str:
        """The reason that was given for that finding under that guardrail, or an empty text."""
        return self.reasons.get((guardrail, fingerprint), "")


NOTHING_JUSTIFIED = Justified()
"""No reason was given for anything."""

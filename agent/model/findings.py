"""What the guardrails found. A finding never holds the value it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The kinds of detector."""

    SECRET = "secret"  # noqa: S105  a word, not a secret
    PII = "pii"
    INJECTION = "injection"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A span of text that a rule recognised: `text[start:end]`, Python str indices, `start < end`.

    `type` names the kind of data (`openai_api_key`, `payment_card`, `email`); `rule` the rule that saw it
    (a rule of our packs, or the id of a custom rule of the policy). For custom rules both are the rule's id.
    """

    start: int
    end: int
    family: Family
    type: str
    rule: str

"""What the guardrails found. A finding never holds the value it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """The kinds of detector."""

    SECRET = "secret"  # noqa: S105  a word, not a secret
    PII = "pii"
    INJECTION = "injection"
    LABEL = "label"  # markings of confidentiality that a text carries
    CUSTOM = "custom"  # a policy's own detectors
    CHECK = "check"  # a policy's own checks: a remote service or a classifier, asked beside the rules


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A span of text that a rule recognised: `text[start:end]`, Python str indices, `start < end`.

    `type` names the kind of data (`openai_api_key`, `payment_card`, `email`); `rule` the rule that saw it
    (a rule of our packs, or the id of a custom rule of the policy). For custom rules both are the rule's id.
    `score` is how sure the detector is, above 0 and at most 1; a rule that validated its match is sure.
    """

    start: int
    end: int
    family: Family
    type: str
    rule: str
    score: float = 1.0

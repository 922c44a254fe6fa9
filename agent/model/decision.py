"""The verdict on one exchange: a value, applied by the gateway in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agent.model.content import Where
from agent.model.findings import Family


class Action(IntEnum):
    """What is done, in rising order of severity: the gravest action of all rules that apply wins."""

    ALLOW = 0
    ALERT = 10
    PSEUDONYMIZE = 15  # a consistent stand-in, restored in the answer
    MASK = 18  # all but the last four characters hidden
    REDACT = 20  # a typed placeholder
    ASK = 30  # refused until the person says why it is right
    BLOCK = 40

    @property
    def word(self) -> str:
        """The lower-case name, as policies and events spell it."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Action:
        """The action of that lower-case name. Raises KeyError."""
        return cls[word.upper()]


class Fallback(StrEnum):
    """What to do when a check itself fails (`on_error`)."""

    ALLOW = "allow"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What one rule found in one part of an exchange, counted; never the value."""

    family: Family
    type: str
    rule: str  # the detector's rule
    guardrail: str  # the policy's guardrail that decided
    where: Where
    action: Action
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Allow, alert, redact or block; why; and by which rules of the policy.

    `applied` is False in observe mode: recorded, not enforced.
    """

    action: Action = Action.ALLOW
    reason: str = ""
    message: str = ""  # what the client is shown when it is blocked
    rule_ids: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    applied: bool = True

    def joined(self, later: Decision) -> Decision:
        """Both decisions on one exchange in one. The graver names the action; of equals, the first to say why."""
        says_more = later.action == self.action and not self.reason
        graver = later if later.action > self.action or says_more else self
        return Decision(
            action=graver.action,
            reason=graver.reason,
            message=graver.message,
            rule_ids=tuple(dict.fromkeys(self.rule_ids + later.rule_ids)),
            hits=self.hits + later.hits,
            applied=self.applied and later.applied,
        )

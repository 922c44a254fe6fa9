"""The verdict on one exchange: a value, applied by the gateway in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agent.model.content import Where
from agent.model.direct import direct
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

    @property
    def changes(self) -> bool:
        """Whether it changes what happens: everything above an alert does."""
        return self > Action.ALERT

    @property
    def rewrites(self) -> bool:
        """Whether the text goes on with something else in the place of what was found."""
        return Action.ALERT < self < Action.ASK

    @property
    def stops(self) -> bool:
        """Whether nothing goes on."""
        return self >= Action.ASK

    @classmethod
    def parse(cls, word: str) -> Action:
        """The action of that lower-case name. Raises KeyError."""
        return cls[word.upper()]


class Severity(IntEnum):
    """How much a hit matters to those who read the events; the numbers are OCSF's `severity_id`."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5

    @property
    def word(self) -> str:
        """The lower-case name, as policies and events spell it."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Severity:
        """The severity of that lower-case name. Raises KeyError."""
        return cls[word.upper()]

    @classmethod
    def of(cls, action: Action) -> Severity:
        """The severity of an action where nobody chose another."""
        if action.stops:
            return cls.MEDIUM
        return cls.INFO if action is Action.ALLOW else cls.LOW


class Fallback(StrEnum):
    """What to do when a check itself fails (`on_error`)."""

    ALLOW = "allow"
    BLOCK = "block"


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What one rule found in one part of an exchange, counted; never the value.

    `shadow` marks what a guardrail on trial would have done: recorded, never carried out. Where the action is `ask`,
    `fingerprints` are keyed hashes of the values, by which a justification names exactly these; `justification` is
    the reason that somebody gave for such findings, which then are only alerts.
    """

    family: Family
    type: str
    rule: str  # the detector's rule
    guardrail: str  # the policy's guardrail that decided
    where: Where
    action: Action
    count: int = 1
    severity: Severity = Severity.LOW
    score: float = 1.0  # of the surest finding
    shadow: bool = False
    fingerprints: tuple[str, ...] = ()
    justification: str = ""
    place: str = ""  # in words, where it did not stand in the request's own text: a file


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is done (the gravest action of the hits that are not shadows), why, and by which rules of the policy.

    `applied` is False in observe mode: recorded, not enforced. `restored` and `unrestored` count the stand-ins of an
    answer that were put back, and those that were left since they are not known or would have left the machine.
    """

    action: Action = Action.ALLOW
    reason: str = ""
    message: str = ""  # what the client is shown when it is blocked
    rule_ids: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    applied: bool = True
    restored: int = 0
    unrestored: int = 0

    @property
    def stops(self) -> bool:
        """Whether nothing may go on."""
        return self.applied and self.action.stops

    @property
    def severity(self) -> Severity:
        """The gravest severity of the hits that count, or that of the action where it is no hit's."""
        real = [hit for hit in self.hits if not hit.shadow]
        severities = [hit.severity for hit in real]
        if not any(hit.action is self.action for hit in real):
            severities.append(Severity.of(self.action))
        return max(severities)

    def joined(self, later: Decision) -> Decision:
        """Both decisions on one exchange in one. The graver names the action; of equals, the first to say why."""
        if later is CLEAN and (self.applied or self is CLEAN):
            return self
        says_more = later.action == self.action and not self.reason
        graver = later if later.action > self.action or says_more else self
        return Decision(
            action=graver.action,
            reason=graver.reason,
            message=graver.message,
            rule_ids=tuple(dict.fromkeys(self.rule_ids + later.rule_ids)),
            hits=self.hits + later.hits,
            applied=self.applied and later.applied,
            restored=self.restored + later.restored,
            unrestored=self.unrestored + later.unrestored,
        )


CLEAN = Decision()
"""Nothing was found, by a policy that enforces."""

"""What the demo found out, as values: printed as tables or as one JSON document."""

from __future__ import annotations

from dataclasses import dataclass

from agent.audit import StoredEvent, VerifyReport
from agent.host.runfile import RunFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was tried and what came of it, in words. `problem` says what was not as promised, empty if nothing."""

    tried: str = ""
    client_saw: str = ""
    provider_received: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was tried. `decision` is what the audit trail must say of each of its `exchanges`;
    empty: nothing at all."""

    id: str
    title: str
    program: str
    decision: str
    seen: Seen
    exchanges: int = 1

    @property
    def ok(self) -> bool:
        """Whether it went as promised."""
        return not self.seen.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Medians over `requests` small requests, in milliseconds. `own_ms` is what the agent books as its own work."""

    requests: int
    direct_ms: float
    bridged_ms: float
    own_ms: float

    @property
    def added_ms(self) -> float:
        """What the way through the bridge costs."""
        return self.bridged_ms - self.direct_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole demo."""

    agent: RunFile
    policy: str
    steps: tuple[Step, ...]
    gateway_steps: tuple[Step, ...]  # at the base URL; none with a policy of the user's
    events: tuple[StoredEvent, ...]  # of the steps, oldest first
    trail_problem: str  # where the trail does not tell what happened
    verified: VerifyReport
    latency: Latency
    seconds: float

    @property
    def all_steps(self) -> tuple[Step, ...]:
        """In the order in which they were tried."""
        return self.steps + self.gateway_steps

    @property
    def ok(self) -> bool:
        """Whether everything went as promised."""
        return all(step.ok for step in self.all_steps) and not self.trail_problem and self.verified.ok

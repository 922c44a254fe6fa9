"""What the tray knows of the agent, as values. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What the agent does, as the icon shows it."""

    GUARDING = "guarding"
    OBSERVING = "observing"
    PAUSED = "paused"
    DEGRADED = "degraded"
    OFF = "off"  # no agent answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something that is wrong with the agent, in its own words."""

    code: str
    title: str
    text: str = ""
    remedy: str = ""
    grave: bool = True  # whether the agent is called degraded for it

    @property
    def sentence(self) -> str:
        """The whole of it."""
        return f"{self.title}: {self.text}" if self.text else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One exchange with which something was done, or would have been."""

    number: int
    id: str
    at: float  # Unix seconds
    app: str
    service: str  # whom it asked
    action: str
    applied: bool
    stopped: bool  # whether the exchange came to nothing by it
    reason: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is used of a limit."""

    unit: str
    period: str
    used: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualKey:
    """A virtual key that was used today."""

    id: str
    budgets: tuple[Budget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRules:
    """Whether this person may pause, for how long at most, and whether the policy wants to know why."""

    may: bool = False
    forbidden: bool = False  # to everybody
    reason: bool = True
    max_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """This person's requests since midnight."""

    requests: int = 0
    blocked: int = 0
    redacted: int = 0
    observed: int = 0
    apps: tuple[tuple[str, int], ...] = ()
    models: tuple[tuple[str, int], ...] = ()


class SignInState(StrEnum):
    """How this person stands with the company's identity provider."""

    NOT_SET_UP = "not_set_up"
    SIGNED_IN = "signed_in"
    GRACE = "grace"  # it could not be renewed, and still counts
    EXPIRED = "expired"
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """As whom this person has signed in. `renew_at` is when the sign-in is to be renewed (Unix seconds)."""

    state: SignInState = SignInState.NOT_SET_UP
    name: str = ""
    refused: bool = False  # signed out, since the provider would not renew it
    renew_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look at the agent."""

    state: State = State.OFF
    problem: str = ""  # why nothing is known, where the agent does not answer
    paused_until: float | None = None  # Unix seconds, whole
    pause_reason: str = ""
    troubles: tuple[Trouble, ...] = ()
    policy: str = ""
    user: str = ""
    operator: bool = False
    pausing: PauseRules = PauseRules()
    today: Today = Today()
    keys: tuple[VirtualKey, ...] = ()
    decisions: tuple[Decision, ...] = ()  # the newest first
    dashboard: bool = True
    sign_in: SignIn = SignIn()

"""What can be asked of the agent and told it, and who may: a table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.policy.pausing import MAX_REASON


class Role(IntEnum):
    """What a person may do, each level more than the one before."""

    USER = 1  # any account of this machine: looks, at what is about himself
    OPERATOR = 2  # changes things, and sees what is about everybody


class Arguments(BaseModel):
    """What a verb is given. An unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Nothing(Arguments):
    """No arguments."""


class LiveWish(Arguments):
    """Which exchanges are wanted: those after the one of that number."""

    since: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=500, ge=1, le=500)


class EventWish(Arguments):
    """Which events are wanted: after the one of that number in the chain (oldest first), or the newest."""

    after: int | None = Field(default=None, ge=0, le=2**53)
    kind: str | None = Field(default=None, max_length=40)
    decision: str | None = Field(default=None, max_length=20)
    host: str | None = Field(default=None, max_length=255)
    limit: int = Field(default=50, ge=1, le=500)


class PauseOrder(Arguments):
    """How long interception shall rest, and why."""

    minutes: int = Field(ge=1, le=24 * 60)
    reason: str = Field(default="", max_length=MAX_REASON)


class SignInBegin(Arguments):
    """How the person who asks is going to sign in."""

    way: Literal["browser", "device_code"] = "browser"


class SignInToken(Arguments):
    """The ID token that came of it, or one that renews it."""

    id_token: str = Field(min_length=1, max_length=32 * 1024, repr=False)


class SignOutOrder(Arguments):
    """Why the person who asks is to be signed in no more."""

    why: Literal["signed_out", "refused"] = "signed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb. An unsafe one changes something: it is told by POST, and recorded with who told it."""

    name: str
    role: Role = Role.USER
    unsafe: bool = False
    arguments: type[Arguments] = Nothing

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "POST" if self.unsafe else "GET"


VERBS = (
    Verb(name="status"),
    Verb(name="health"),
    Verb(name="me"),
    Verb(name="policy"),
    Verb(name="live", arguments=LiveWish),
    Verb(name="events", arguments=EventWish),
    Verb(name="inventory"),
    Verb(name="service"),
    Verb(name="diag", role=Role.OPERATOR),
    Verb(name="dashboard", unsafe=True),
    Verb(name="begin-sign-in", unsafe=True, arguments=SignInBegin),
    Verb(name="sign-in", unsafe=True, arguments=SignInToken),
    Verb(name="sign-out", unsafe=True, arguments=SignOutOrder),
    Verb(name="pause", role=Role.OPERATOR, unsafe=True, arguments=PauseOrder),
    Verb(name="resume", role=Role.OPERATOR, unsafe=True),
)
"""Every verb. What is not here is not served."""

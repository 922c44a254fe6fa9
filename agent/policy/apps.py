"""The section `apps`: which programs may ask models, by which way their requests go, and with whose accounts."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.model.surface import Kind
from agent.policy import fields
from agent.policy.section import Audience, Globs, Section

DEFAULT_RULE = "apps.default"
"""What decided, where no rule fitted."""
ACCOUNTS_RULE = "apps.accounts"
"""What decided about an account, where the rule that fitted says nothing of accounts."""
SIGN_IN_RULE = "apps.require_sign_in"
"""What decided about somebody who has not signed in, where the rule that fitted says nothing of it."""

MAX_RULES = 500


class State(StrEnum):
    """What is decided about a program."""

    APPROVED = "approved"
    PENDING = "pending"
    DENIED = "denied"


class WhilePending(StrEnum):
    """What happens to programs that nobody has decided about."""

    ALLOW = "allow"  # they work; the inventory says that they wait
    OBSERVE = "observe"  # they work, and each of their exchanges is an alert
    BLOCK = "block"


class Reach(StrEnum):
    """What of a program's traffic a refusal stops."""

    INFERENCE = "inference"  # requests that ask a model; sign-in and pages go on
    HOST = "host"  # everything on the surface's hosts


class AppWay(StrEnum):
    """Where a program's requests go."""

    NATIVE = "native"  # to the service it meant, with its own credential: a subscription goes on
    GATEWAY = "gateway"  # to the policy's providers, under the virtual key
    CENTRAL = "central"  # to the central gateway


class AccountUse(StrEnum):
    """What may be done with a kind of account."""

    ALLOW = "allow"
    METADATA = "metadata"  # it works, and no content of it is kept, whatever `capture` says
    BLOCK = "block"


type TenancyWord = Literal["personal", "company", "other", "unknown"]
type EvidenceWord = Literal["endpoint", "claimed", "process", "signed", "unknown"]
type LoginWord = Literal["api_key", "subscription", "cloud", "session", "anonymous", "unknown"]
type Tenancies = Annotated[
    tuple[TenancyWord, ...],
    Field(
        max_length=4, description="Whose account it is; other: of an organisation that is not the company."
    ),
]
type Logins = Annotated[
    tuple[LoginWord, ...],
    Field(max_length=6, description="What the request shows to say who it is."),
]


class AppRule(Audience):
    """Decides about programs. The first rule that fits decides; none leaves it to `default`.

    Only what is known before a request is read counts here: its model, size and attachments are for access rules.
    """

    id: fields.Slug
    when: fields.AppCondition | None = Field(
        default=None, description="A condition in CEL, such as 'hour >= 20'; see docs/governance.md."
    )
    kinds: Annotated[tuple[Kind, ...], Field(max_length=3)] = Field(
        default=(), description="What people use the surface as: api, agent or chat."
    )
    groups: Globs = Field(default=(), description="Groups of the user; one that fits is enough.")
    devices: Globs = Field(default=(), description="Ids of machines.")
    evidence: Annotated[tuple[EvidenceWord, ...], Field(max_length=5)] = Field(
        default=(), description="How the program is known; see docs/apps.md."
    )
    logins: Logins = ()
    tenancies: Tenancies = ()
    plans: Globs = Field(default=(), description="Plans of the account, as the service calls them.")
    organisations: Globs = Field(default=(), description="Organisations of the account.")
    state: State
    require_sign_in: bool | None = Field(default=None, description="Instead of the section's.")
    message: fields.Template | None = Field(default=None, description="Instead of the section's message.")
    routing: AppWay | None = Field(default=None, description="Instead of the section's.")
    accounts: AccountUse | None = Field(default=None, description="Instead of the section's.")
    other_accounts: AccountUse | None = Field(default=None, description="Instead of the section's.")
    unknown_accounts: AccountUse | None = Field(default=None, description="Instead of the section's.")
    note: fields.Text = Field(default="", description="For those who read the policy.")


class Apps(Section):
    """Which programs may ask models."""

    default: State = Field(default=State.APPROVED, description="What no rule decides.")
    pending: WhilePending = Field(
        default=WhilePending.ALLOW,
        description="Whether programs work while they wait: allow, observe (each exchange is an alert) or block.",
    )
    scope: Reach = Field(
        default=Reach.INFERENCE,
        description="inference: only requests that ask a model are refused; host: the pages too.",
    )
    require_sign_in: bool = Field(
        default=False,
        description="Whether only people who have signed in with the company's identity provider may ask.",
    )
    message: fields.Template | None = Field(default=None, description="Instead of the policy's message.")
    routing: AppWay | None = Field(default=None, description="Instead of upstream.route.")
    accounts: AccountUse = Field(
        default=AccountUse.ALLOW,
        description="Personal accounts: allow, metadata (no content is kept) or block.",
    )
    other_accounts: AccountUse = Field(
        default=AccountUse.ALLOW, description="Accounts of organisations that are not the company."
    )
    unknown_accounts: AccountUse = Field(
        default=AccountUse.ALLOW, description="Accounts that do not show whose they are."
    )
    notify_minutes: int = Field(
        default=10, ge=1, le=1440, description="A refused program is told of at most so often."
    )
    forget_days: int = Field(
        default=90,
        ge=1,
        le=3650,
        description="What was not seen for so long is forgotten, and new when it returns.",
    )
    rules: Annotated[tuple[AppRule, ...], Field(max_length=MAX_RULES)] = ()

    @cached_property
    def lenient(self) -> bool:
        """Whether nothing here can change what happens to an exchange."""
        return (
            not self.rules
            and self.default is State.APPROVED
            and not self.require_sign_in
            and self.routing is None
            and self.accounts is AccountUse.ALLOW
            and self.other_accounts is AccountUse.ALLOW
            and self.unknown_accounts is AccountUse.ALLOW
        )

    @cached_property
    def asks_for_sign_in(self) -> bool:
        """Whether anybody must have signed in for anything."""
        return self.require_sign_in or any(rule.require_sign_in for rule in self.rules)

    @cached_property
    def ways(self) -> frozenset[AppWay]:
        """Every way that requests may be sent by this section."""
        every = (self.routing, *(rule.routing for rule in self.rules))
        return frozenset(each for each in every if each is not None)

    @model_validator(mode="after")
    def _rule_ids_are_not_ours(self) -> Self:
        for rule in self.rules:
            if rule.id in (DEFAULT_RULE, ACCOUNTS_RULE, SIGN_IN_RULE):
                raise ValueError(
                    f"'{rule.id}' is the name of what decides where no rule does: choose another id"
                )
        return self

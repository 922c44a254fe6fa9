"""What the sections of a policy share: how they are read, and to which exchanges a rule applies."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent.policy import fields
from agent.policy.conditions import Condition

MANY = 1000
"""The most items a list of a policy may have."""


class Section(BaseModel):
    """A mapping of a policy. Refuses unknown keys and values of another type, and never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


Globs = Annotated[tuple[fields.Glob, ...], Field(max_length=MANY)]


class Audience(Section):
    """About whom a rule is, as far as it is known before a request is read. An empty list is about all; several keys
    must all fit."""

    hosts: Annotated[tuple[fields.HostGlob, ...], Field(max_length=MANY)] = ()
    surfaces: Annotated[tuple[fields.Slug, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of catalog rows; 'unknown' for hosts outside the catalog."
    )
    apps: Globs = Field(default=(), description="Catalog ids of client programs.")
    users: Globs = Field(
        default=(),
        description="Accounts of this machine that run the client, or names of those who have signed in.",
    )
    when: fields.Condition | None = Field(
        default=None, description="A condition in CEL, such as 'size > 400000'; see docs/policy.md."
    )

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, ready to be evaluated."""
        return None if self.when is None else Condition(self.when)


class Scope(Audience):
    """To which exchanges a rule applies."""

    models: Globs = Field(default=(), description="Model names; '?*' is any request that names a model.")

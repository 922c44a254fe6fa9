"""The company's own ids at the services it pays for: by them its accounts are told from its people's private ones."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from agent.policy import fields
from agent.policy.section import MANY, Section


def _domain(text: str) -> str:
    if "*" in text:
        raise ValueError("must be a domain without '*': domains below it count, too")
    return text


def _id(text: str) -> str:
    return text.lower()


Domain = Annotated[fields.Host, AfterValidator(_domain)]
OrganisationId = Annotated[str, Field(min_length=2, max_length=128), AfterValidator(_id)]


class Company(Section):
    """An account with one of these ids is the company's; one that names an id of the same kind, but another, is not."""

    domains: Annotated[tuple[Domain, ...], Field(max_length=MANY)] = Field(
        default=(), description="Domains of its mail addresses; those below them count, too."
    )
    organisations: Annotated[tuple[OrganisationId, ...], Field(max_length=MANY)] = Field(
        default=(),
        description="Ids of its organisations, workspaces and accounts: OpenAI's org-…, ChatGPT's and Claude's UUIDs.",
    )
    tenants: Annotated[tuple[OrganisationId, ...], Field(max_length=MANY)] = Field(
        default=(), description="Ids of its Entra tenants."
    )

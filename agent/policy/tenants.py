"""The section `tenants`: whose accounts services are to let in, told to them by headers that they read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from agent.policy import fields
from agent.policy.section import Section

MAX_VALUES = 500


class TenantRule(Section):
    """The value of one header of the catalog's `tenants.toml`."""

    allow: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=256)], ...],
        Field(min_length=1, max_length=MAX_VALUES),
    ] = Field(description="Whose accounts are let in, as the service names them.")
    hosts: Annotated[tuple[fields.Host, ...], Field(max_length=50)] = Field(
        default=(),
        description="Hosts of this header that are to be decrypted for it alone: sign-in pages, for instance.",
    )


Tenants = Annotated[dict[fields.Slug, TenantRule], Field(max_length=50)]
"""By the header's id in the catalog."""

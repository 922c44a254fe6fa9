"""Rule packs that a policy brings along: files beside it, in our own format or in gitleaks'."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from agent.model.findings import Family
from agent.policy import fields
from agent.policy.section import Section


class PackFormat(StrEnum):
    """How a pack is written."""

    GITLEAKS = "gitleaks"  # a .gitleaks.toml as it is; what cannot apply to prompts is reported
    DRAWBRIDGE = "drawbridge"  # the format of the packs that ship with the agent; an unknown key is an error


class Pack(Section):
    """A file of rules. Their findings are of the pack's family; the type is the rule's id with `_` for `-`."""

    id: fields.Slug
    file: fields.Companion = Field(description="Relative to the policy's folder.")
    format: PackFormat = PackFormat.GITLEAKS
    family: Family = Field(default=Family.SECRET, description="What its findings count as.")

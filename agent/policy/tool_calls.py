"""The section `tool_calls`: what events tell of the tools that models ask for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.model.tool import ToolKind
from agent.policy.section import Section

MAX_CHARACTERS = 16_384


class Report(StrEnum):
    """How much is told."""

    OFF = "off"
    NAMES = "names"
    ARGUMENTS = "arguments"  # redacted


class ToolCalls(Section):
    """What is told of tool calls. Nothing by default."""

    report: Report = Field(default=Report.OFF, description="off, names, or arguments (redacted).")
    kinds: Annotated[tuple[ToolKind, ...], Field(max_length=len(ToolKind))] = Field(
        default=(), description="Only these kinds of tools; all by default."
    )
    max_characters: int = Field(
        default=2000, ge=100, le=MAX_CHARACTERS, description="Of the arguments of one call."
    )

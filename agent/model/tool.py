"""Calls of tools as the audit trail tells them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ToolKind(StrEnum):
    """What a tool does, as far as its name tells."""

    SHELL = "shell"  # runs commands
    READ = "read"  # reads, lists or searches local files
    WRITE = "write"  # changes local files
    FETCH = "fetch"  # gets something from the network
    SEARCH = "search"  # asks a search engine
    MCP = "mcp"  # a tool of an MCP server
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledTool:
    """A model asked for a tool. `arguments` is what policy lets be kept, redacted; `cut` where more was said."""

    tool: str
    kind: ToolKind
    arguments: str = ""
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """A tool gave a result. `failed` where the request says so; not every format can."""

    tool: str
    kind: ToolKind
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """The tools of one exchange: the results that the request brings, then the calls that the answer asks for.
    `left_out` counts those beyond what an event may hold."""

    results: tuple[ToolOutcome, ...] = ()
    calls: tuple[CalledTool, ...] = ()
    left_out: int = 0


NO_TOOLS = ToolUse()
"""None was called, or nobody asked for a report."""

"""The values that a long conversation and a stream make by the hundred, by position: short where many are made."""

from __future__ import annotations

from agent.model.conversation import (
    CacheHint,
    Part,
    PartDelta,
    Speaker,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)


def new_text(text: str, cache: CacheHint | None = None) -> Text:
    """`Text(text=…, cache=…)`."""
    return Text(text=text, cache=cache)


def new_call(call_id: str, name: str, arguments: str, cache: CacheHint | None = None) -> ToolCall:
    """`ToolCall(id=…, name=…, arguments=…, cache=…)`."""
    return ToolCall(id=call_id, name=name, arguments=arguments, cache=cache)


def new_result(
    call_id: str, parts: tuple[Part, ...], name: str, cache: CacheHint | None = None
) -> ToolResult:
    """`ToolResult(call_id=…, parts=…, name=…, cache=…)`."""
    return ToolResult(
        call_id=call_id,
        parts=parts,  # type: ignore[arg-type]  # where results are read, formats have nothing but texts and media
        name=name,
        cache=cache,
    )


def new_turn(speaker: Speaker, parts: tuple[Part, ...]) -> Turn:
    """`Turn(speaker=…, parts=…)`."""
    return Turn(speaker=speaker, parts=parts)


def new_delta(part: int, text: str, choice: int = 0) -> PartDelta:
    """`PartDelta(part=…, text=…, choice=…)`."""
    return PartDelta(part=part, text=text, choice=choice)

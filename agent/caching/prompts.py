"""The part of a conversation that is compared by meaning, and all the rest, which must be equal. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import orjson

from agent.model.conversation import Conversation, Part, Speaker, Text, Thinking, Tool, ToolResult, Turn
from agent.policy.caching import Semantic

_HARMLESS = frozenset(
    {
        "metadata",
        "labels",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "user",
        "stream_options",
    }
)
"""Fields that readers do not take into a `Conversation` and that change no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the user said last, and the rest in one spelling."""

    text: str = field(repr=False)
    rest: bytes = field(repr=False)


def prompt_of(conversation: Conversation, settings: Semantic) -> Prompt | None:
    """What may be compared by meaning; None where nothing may: a conversation that is long, that answers tools, or of
    which not everything is known."""
    if any(name.partition(".")[0].partition("[")[0] not in _HARMLESS for name in conversation.unread):
        return None
    turns = [turn for turn in conversation.turns if turn.speaker is not Speaker.SYSTEM]
    system = [turn for turn in conversation.turns if turn.speaker is Speaker.SYSTEM]
    last = len(turns)
    while last and turns[last - 1].speaker is Speaker.USER:
        last -= 1
    if last == len(turns) or last > settings.max_history:
        return None
    text, others = _said(turns[last:])
    if others is None or not 0 < len(text) <= settings.max_prompt_chars:
        return None
    rest = {
        "system": [] if settings.ignore_system_prompt else [_plain(turn) for turn in system],
        "before": [_plain(turn) for turn in turns[:last]],
        "with": others,
        "tools": [_unmarked(tool) for tool in conversation.tools],
        "tool_choice": conversation.tool_choice,
        "sampling": conversation.sampling,
        "reasoning": conversation.reasoning,
        "output": conversation.output,
    }
    try:
        return Prompt(text=text, rest=orjson.dumps(rest, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError:
        return None


def _said(turns: list[Turn]) -> tuple[str, list[object] | None]:
    """The text of the last turns and what came with it; None for the latter where tools answer in them."""
    texts: list[str] = []
    others: list[object] = []
    for turn in turns:
        for part in turn.parts:
            if isinstance(part, Text):
                texts.append(part.text)
            elif isinstance(part, ToolResult):
                return "", None
            else:
                others.append(_tagged(part))
    return "\n".join(texts).strip(), others


def _plain(turn: Turn) -> list[object]:
    return [turn.speaker.value, *(_tagged(part) for part in turn.parts)]


def _tagged(part: Part) -> list[object]:
    return [type(part).__name__, _unmarked(part)]


def _unmarked(part: Part | Tool) -> Part | Tool:
    """Without the mark for the provider's own cache."""
    if isinstance(part, Thinking) or part.cache is None:
        return part
    return replace(part, cache=None)

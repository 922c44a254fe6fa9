"""What a request's body says that is the gateway's business, and that no dialect reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from agent.dialects.shapes import mapping, objects
from agent.gateway.unified.forms import wants_usage

_WORDS = (b'"fallbacks"', b'"stream_options"', b'"tools"', b"\\u")  # the last can spell the others otherwise
_THOUGHT = (b'"reasoning', b'"thinking', b"\\u")
_CONFIGURED = ("generationConfig", "generation_config", "additionalModelRequestFields")
_SECTIONS = (
    "reasoning",
    "thinking",
    "thinkingConfig",
    "thinking_config",
    "reasoning_config",
    "reasoningConfig",
)
_AMOUNTS = ("effort", "type", "thinkingLevel", "thinking_level", "maxReasoningEffort")
_BUDGETS = ("budget_tokens", "thinkingBudget", "thinking_budget", "token_budget", "max_tokens")
_GROUPS = ("functionDeclarations", "function_declarations")
_OFF = frozenset({"none", "minimal", "disabled", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWords:
    """`fallbacks` are unread. `usage`: the client wants counts of tokens in its stream. `tools`: how many it offers.
    `thought`: it wants the model to think, as far as that was looked for."""

    fallbacks: object = None
    usage: bool = True
    tools: int = 0
    thought: bool = False


_NONE = OwnWords(usage=False)


def own_words(body: bytes, *, thought: bool = False) -> OwnWords:
    """Reads them. With `thought` it also looks whether the model is to think."""
    if not any(word in body for word in _WORDS) and not (thought and any(word in body for word in _THOUGHT)):
        return _NONE
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _NONE
    if not isinstance(document, dict):
        return _NONE
    return OwnWords(
        fallbacks=document.get("fallbacks"),
        usage=wants_usage(document),
        tools=sum(_tools(document)),
        thought=thought and _wants_thought(document),
    )


def _tools(document: dict[str, object]) -> Iterator[int]:
    """Gemini's stand in groups, Converse's in a section."""
    for holder in (document, mapping(document.get("toolConfig"))):
        for _, tool in objects(holder.get("tools")):
            groups = [tool[name] for name in _GROUPS if name in tool]
            yield sum(len(group) for group in groups if isinstance(group, list)) if groups else 1


def _wants_thought(document: dict[str, object]) -> bool:
    """Whether an effort, a budget or a level is given that is not off, in whichever format."""
    effort = document.get("reasoning_effort")
    if isinstance(effort, str):
        return effort.lower() not in _OFF
    for holder in (document, *(mapping(document.get(name)) for name in _CONFIGURED)):
        for name in _SECTIONS:
            section = mapping(holder.get(name))
            budgets = [section.get(budget) for budget in _BUDGETS if budget in section]
            if (
                any(isinstance(budget, int) and budget != 0 for budget in budgets)
                or section.get("enabled") is True
            ):
                return True
            amounts = [section[amount] for amount in _AMOUNTS if amount in section]
            if not budgets and any(isinstance(each, str) and each.lower() not in _OFF for each in amounts):
                return True
    return False

"""A conversation cut to what a server takes: fields that its catalog row says it refuses are told as losses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType

from agent.model.conversation import Conversation, Sampling, ToolChoice, ToolUse
from agent.translation.base import Losses, Quirks

_SAMPLING = tuple(field.name for field in fields(Sampling))
_ASKS_NOTHING: Mapping[str, object] = MappingProxyType(
    {
        "temperature": 1.0,
        "top_p": 1.0,
        "frequency_penalty": 0.0,
        "presence_penalty": 0.0,
        "choices": 1,
        "logprobs": False,
        "top_logprobs": 0,
        "stop": (),
    }
)
"""The values that every server takes for granted: leaving them out changes nothing."""


def asks(sampling: Sampling, name: str) -> bool:
    """Whether the field `name` is given and asks for something."""
    value = getattr(sampling, name)
    return value is not None and value != _ASKS_NOTHING.get(name)


def without(sampling: Sampling, names: tuple[str, ...] | frozenset[str], losses: Losses) -> Sampling:
    """`sampling` without the fields `names`; what asked for something is lost."""
    gone: dict[str, tuple[()] | None] = {}
    for name in _SAMPLING:
        if name in names and getattr(sampling, name) is not None:
            if asks(sampling, name):
                losses.lose(f"sampling.{name}")
            gone[name] = () if name == "stop" else None
    return replace(sampling, **gone) if gone else sampling  # type: ignore[arg-type]


def fitted(conversation: Conversation, quirks: Quirks, losses: Losses) -> Conversation:
    """`conversation` without what the server refuses (`Quirks.unsupported`)."""
    refused = quirks.unsupported
    if not refused:
        return conversation
    names = frozenset(name.removeprefix("sampling.") for name in refused if name.startswith("sampling."))
    fitting = replace(conversation, sampling=without(conversation.sampling, names, losses))
    for name in ("reasoning", "output", "tools", "user"):
        if name in refused and getattr(fitting, name):
            losses.lose(name)
            fitting = _emptied(fitting, name)
    choice = fitting.tool_choice
    if choice is not None:
        fitting = replace(fitting, tool_choice=_fitted_choice(choice, refused, losses))
    if "tools.strict" in refused:  # a wish for exactness; the schema itself stays
        fitting = replace(fitting, tools=tuple(replace(tool, strict=None) for tool in fitting.tools))
    return fitting


def _emptied(conversation: Conversation, name: str) -> Conversation:
    match name:
        case "tools":
            return replace(conversation, tools=(), tool_choice=None)
        case "user":
            return replace(conversation, user="")
        case "output":
            return replace(conversation, output=None)
        case _:
            return replace(conversation, reasoning=None)


def _fitted_choice(choice: ToolChoice, refused: frozenset[str], losses: Losses) -> ToolChoice | None:
    if choice.parallel is not None and "tool_choice.parallel" in refused:
        if not choice.parallel:
            losses.lose("tool_choice.parallel")
        choice = replace(choice, parallel=None)
    if "tool_choice" in refused:
        if choice.use is not ToolUse.AUTO:
            losses.lose("tool_choice")
        return None
    return choice

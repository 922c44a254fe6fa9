"""What Converse has no field for and a family of models has: the `additionalModelRequestFields`.

Which family a model belongs to is the catalog's to know (`Quirks.family`); a model of none gets only what Converse
itself defines. Sources: the Amazon Bedrock user guide, "Inference request parameters and response fields for
foundation models" (Anthropic Claude, Amazon Nova, OpenAI) and "Extended thinking"; the Amazon Nova user guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.dialects.shapes import integer, mapping, string
from agent.model.conversation import Effort, Reasoning
from agent.translation.unread import Unread


class Thought(StrEnum):
    """How a family is told to think."""

    NOT = "not"
    BUDGET = "budget"  # Claude's `thinking` with a number of tokens
    ADAPTIVE = "adaptive"  # Claude's `thinking` that chooses for itself, bounded by `outputConfig.effort`
    NOVA = "nova"  # Nova's `reasoningConfig`
    EFFORT = "effort"  # gpt-oss's `reasoning_effort`


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The fields of one family, as paths of keys; an empty one does not exist."""

    top_k: tuple[str, ...] = ()
    one_call: tuple[str, ...] = ()  # at most one tool call in a turn
    thought: Thought = Thought.NOT


FAMILIES: Mapping[str, Family] = {
    "": Family(),
    "claude": Family(
        top_k=("top_k",), one_call=("tool_choice", "disable_parallel_tool_use"), thought=Thought.BUDGET
    ),
    "claude-adaptive": Family(
        one_call=("tool_choice", "disable_parallel_tool_use"),
        thought=Thought.ADAPTIVE,  # these models refuse top_k
    ),
    "nova": Family(top_k=("inferenceConfig", "topK"), thought=Thought.NOVA),
    "gpt-oss": Family(thought=Thought.EFFORT),
}
_TOP_K = tuple(dict.fromkeys(family.top_k for family in FAMILIES.values() if family.top_k))
_KNOWN = frozenset(
    (
        "top_k",
        "tool_choice",
        "inferenceConfig",
        "thinking",
        "reasoning_config",
        "reasoningConfig",
        "reasoning_effort",
    )
)
_EFFORTS = {each.value: each for each in Effort} | {"max": Effort.XHIGH}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFields:
    """What `additionalModelRequestFields` said."""

    top_k: int | None = None
    parallel: bool | None = None
    reasoning: Reasoning | None = None


def effort(value: object) -> Effort | None:
    """The effort of that name; `max` is the most there is here."""
    return _EFFORTS.get(string(value))


def put(fields: dict[str, object], path: tuple[str, ...], value: object) -> None:
    """Set the field at `path`, making the objects on the way."""
    *outer, last = path
    for key in outer:
        inner = fields.setdefault(key, {})
        assert isinstance(inner, dict)
        fields = inner
    fields[last] = value


def read_own_fields(fields: Mapping[str, object], unread: Unread) -> OwnFields:
    """What any family's fields say; a reader need not know whose they are."""
    path = "additionalModelRequestFields"
    unread.others(path, fields, _KNOWN)
    unread.others(f"{path}.inferenceConfig", mapping(fields.get("inferenceConfig")), ("topK",))
    choice = mapping(fields.get("tool_choice"))
    unread.others(f"{path}.tool_choice", choice, ("type", "disable_parallel_tool_use"))
    alone = choice.get("disable_parallel_tool_use")
    top_k = next((found for at in _TOP_K if (found := integer(_get(fields, at))) is not None), None)
    return OwnFields(
        top_k=top_k,
        parallel=not alone if isinstance(alone, bool) else None,
        reasoning=_read_reasoning(path, fields, unread),
    )


def _get(fields: Mapping[str, object], path: tuple[str, ...]) -> object:
    for key in path[:-1]:
        fields = mapping(fields.get(key))
    return fields.get(path[-1])


def _read_reasoning(path: str, fields: Mapping[str, object], unread: Unread) -> Reasoning | None:
    if fields.get("reasoning_effort") is not None:
        spoken = effort(fields["reasoning_effort"])
        if spoken is None:
            unread.note(f"{path}.reasoning_effort")
        return None if spoken is None else Reasoning(effort=spoken)
    for key in ("thinking", "reasoning_config", "reasoningConfig"):
        found = mapping(fields.get(key))
        if not found:
            continue
        unread.others(f"{path}.{key}", found, ("type", "budget_tokens", "maxReasoningEffort", "display"))
        match string(found.get("type")):
            case "disabled":
                return Reasoning(budget_tokens=0)
            case "adaptive":
                return Reasoning(budget_tokens=-1)
            case _:
                return Reasoning(
                    effort=effort(found.get("maxReasoningEffort")),
                    budget_tokens=integer(found.get("budget_tokens")),
                )
    return None

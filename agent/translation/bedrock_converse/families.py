"""What Converse has no field for and a family of models has: the `additionalModelRequestFields`.

Which family a model belongs to is a row of data here, unless the catalog says it (`Quirks.family`); a model of none
gets only what Converse itself defines. Sources: the Amazon Bedrock user guide, "Inference request parameters and
response fields for foundation models" (Anthropic Claude, Amazon Nova, OpenAI) and "Extended thinking"; the Amazon Nova
user guide; for what newer Claudes refuse, Anthropic's "Extended thinking" and migration guides.
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
    draws: int = 2  # how many of temperature and top_p it takes together


_ONE_CALL = ("tool_choice", "disable_parallel_tool_use")
FAMILIES: Mapping[str, Family] = {
    "": Family(),
    "claude-3": Family(top_k=("top_k",), one_call=_ONE_CALL),
    "claude-3.7": Family(top_k=("top_k",), one_call=_ONE_CALL, thought=Thought.BUDGET),
    "claude-4.1": Family(top_k=("top_k",), one_call=_ONE_CALL, thought=Thought.BUDGET, draws=1),
    "claude-4.7": Family(one_call=_ONE_CALL, thought=Thought.ADAPTIVE, draws=0),
    "nova-1": Family(top_k=("inferenceConfig", "topK")),
    "nova-2": Family(top_k=("inferenceConfig", "topK"), thought=Thought.NOVA),
    "gpt-oss": Family(thought=Thought.EFFORT),
}
"""By name; a Claude's is the version from which on it is so."""

_MODELS: tuple[
    tuple[str, str], ...
] = (  # a part of the model's id, and its family; the first that fits counts
    ("anthropic.claude-instant", "claude-3"),
    ("anthropic.claude-v2", "claude-3"),
    ("anthropic.claude-3-7", "claude-3.7"),
    ("anthropic.claude-3", "claude-3"),
    ("anthropic.claude-sonnet-4-2", "claude-3.7"),  # dated, without a minor version
    ("anthropic.claude-opus-4-2", "claude-3.7"),
    ("anthropic.claude-opus-4-1", "claude-4.1"),
    ("anthropic.claude-sonnet-4-5", "claude-4.1"),
    ("anthropic.claude-haiku-4-5", "claude-4.1"),
    ("anthropic.claude-opus-4-5", "claude-4.1"),
    ("anthropic.claude-sonnet-4-6", "claude-4.1"),
    ("anthropic.claude-opus-4-6", "claude-4.1"),
    ("anthropic.claude-", "claude-4.7"),
    ("amazon.nova-2-", "nova-2"),
    ("amazon.nova-", "nova-1"),
    ("openai.gpt-oss-", "gpt-oss"),
)
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


def family_of(model: str, name: str = "") -> Family:
    """The family of that name or, where it is empty, of the model. The ARN of an application's own profile does not
    say which model it stands for: then the name must."""
    if not name:
        name = next((family for part, family in _MODELS if part in model), "")
    return FAMILIES.get(name, FAMILIES[""])


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

"""Writes how a model behind Converse is to think, each family in its own way.

Claude's rules: a budget has 1,024 tokens or more and leaves room below `maxTokens`; who thinks is not cooled or
narrowed and not forced to a tool; and a turn that began without a signed thought goes on without. Source: the Amazon
Bedrock user guide, "Extended thinking".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.model.conversation import (
    Conversation,
    Effort,
    Reasoning,
    Speaker,
    Thinking,
    ToolCall,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.base import Losses
from agent.translation.bedrock_converse.families import Thought
from agent.translation.bedrock_converse.thoughts import returned
from agent.translation.reasoning import LEAST_BUDGET, budget_of, effort_wanted, fitting, is_off

_LIMIT = 32_000  # where the client names none: a budget must stand below one
_NARROWEST = 0.95  # of top_p
_UNFIT = ("temperature", "sampling.temperature"), ("topP", "sampling.top_p")


@dataclass(slots=True, kw_only=True)
class Thinker:
    """Writes the fields for one request: into `config` (the `inferenceConfig`) and `own` (the family's fields)."""

    conversation: Conversation
    losses: Losses
    config: dict[str, object]
    own: dict[str, object]

    def write(self, reasoning: Reasoning | None, thought: Thought, output: dict[str, object]) -> bool:
        """Whether the model was told to think in a way that forbids other fields."""
        if reasoning is None:
            return False
        wanted = Effort.NONE if is_off(reasoning) else effort_wanted(reasoning) or Effort.MEDIUM
        match thought:
            case Thought.BUDGET:
                return self._budget(wanted, reasoning.budget_tokens)
            case Thought.ADAPTIVE:
                return self._adaptive(wanted, output)
            case Thought.NOVA if wanted is Effort.NONE:
                self.own["reasoningConfig"] = {"type": "disabled"}
            case Thought.NOVA:
                self.own["reasoningConfig"] = {"type": "enabled", "maxReasoningEffort": _of_three(wanted)}
            case Thought.EFFORT:
                self.own["reasoning_effort"] = _of_three(wanted)
            case Thought.NOT if wanted is not Effort.NONE:  # not to think is what such a model does anyway
                self.losses.lose("reasoning")
        return False

    def _budget(self, wanted: Effort, tokens: int | None) -> bool:
        if wanted is Effort.NONE:
            self.own["thinking"] = {"type": "disabled"}
            return False
        limit = self.config.get("maxTokens")
        limit = limit if isinstance(limit, int) else _LIMIT
        asked = max(tokens, LEAST_BUDGET) if tokens is not None and tokens > 0 else None
        budget = budget_of(wanted, limit) if asked is None else fitting(asked, limit)
        if budget < LEAST_BUDGET or self._is_forced():
            self.losses.lose("reasoning")
            return False
        if goes_on_without_thought(self.conversation.turns):
            return False
        self.config["maxTokens"] = limit
        self.own["thinking"] = {"type": "enabled", "budget_tokens": budget}
        self._warm()
        return True

    def _adaptive(self, wanted: Effort, output: dict[str, object]) -> bool:
        if wanted is Effort.NONE:
            self.own["thinking"] = {"type": "disabled"}
            return False
        if self._is_forced():
            self.losses.lose("reasoning")
            return False
        if goes_on_without_thought(self.conversation.turns):
            return False
        self.own["thinking"] = {"type": "adaptive"}
        output["effort"] = Effort.LOW.value if wanted is Effort.MINIMAL else wanted.value
        self._warm()
        return True

    def _is_forced(self) -> bool:
        choice = self.conversation.tool_choice
        return choice is not None and choice.use in (ToolUse.REQUIRED, ToolUse.NAMED)

    def _warm(self) -> None:
        """A thinking Claude takes the temperature 1 and a wide `topP` only."""
        for field, name in _UNFIT:
            value = self.config.get(field)
            if isinstance(value, int | float) and value < (1 if field == "temperature" else _NARROWEST):
                del self.config[field]
                self.losses.lose(name)


def goes_on_without_thought(turns: Sequence[Turn]) -> bool:
    """Whether the next turn goes on, after results of tools, with one that began without a signed thought.

    A client that does not send thoughts back has called tools, and the API refuses to think on from there. Nothing is
    told as lost: the turn began with thinking, and would otherwise end at its first call.
    """
    answer: list[object] = []
    for turn in reversed(turns):
        if turn.speaker is Speaker.ASSISTANT:
            answer = [*turn.parts, *answer]
        elif not any(isinstance(part, ToolResult) for part in turn.parts):
            break
    called = any(isinstance(part, ToolCall) for part in answer)
    thought = any(isinstance(part, Thinking) and returned(part) for part in answer)
    return called and not thought


def _of_three(effort: Effort) -> str:
    match effort:
        case Effort.NONE | Effort.MINIMAL:
            return Effort.LOW.value
        case Effort.XHIGH:
            return Effort.HIGH.value
        case _:
            return effort.value

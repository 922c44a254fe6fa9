"""What may be asked of which Claude together: thinking, sampling, the limit of tokens.

Facts of the vendor's pages "Extended thinking", "Adaptive thinking", "Effort" and the migration guides: budgets are at
least 1,024 and less than `max_tokens`; thinking goes neither with a forced tool nor with a temperature; from 4.7 on
models take neither budgets nor sampling parameters, and before 4.6 they know no adaptive thinking.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.model.conversation import (
    Conversation,
    Effort,
    Reasoning,
    Sampling,
    Speaker,
    Thinking,
    ToolResult,
    ToolUse,
    Turn,
)
from agent.translation.anthropic_messages.blocks import is_own
from agent.translation.base import Losses, Quirks
from agent.translation.fitting import asks, without
from agent.translation.reasoning import LEAST_BUDGET, budget_of, effort_wanted, fitting, is_off

type Generation = tuple[int, int]

_SEPARATORS = str.maketrans("-._@:/", "      ")
_NEWEST: Generation = (99, 0)
_THINKS: Generation = (3, 7)
_ADAPTS: Generation = (4, 6)
_ONLY_ADAPTS: Generation = (4, 7)
_THINKS_UNASKED: Generation = (5, 0)
_ONE_OF_TWO: Generation = (4, 1)  # from here on, temperature or top_p
_ROOM = 4_096  # for the answer, beside a budget for which the client set no limit
_UNKNOWN = ("seed", "frequency_penalty", "presence_penalty", "choices", "logprobs", "top_logprobs")
_DRAWN = ("temperature", "top_p", "top_k")
_EFFORTS = {
    Effort.MINIMAL: "low",
    Effort.LOW: "low",
    Effort.MEDIUM: "medium",
    Effort.HIGH: "high",
    Effort.XHIGH: "xhigh",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How the answer is to be made, in fields that go together."""

    max_tokens: int
    sampling: Sampling
    thinking: dict[str, object] | None = None
    effort: str = ""


def generation(model: str) -> Generation | None:
    """Which Claude the name means, `(4, 5)`; the newest where the name has no number. None: it is no Claude."""
    _, found, rest = model.lower().partition("claude")
    if not found:
        return None
    numbers: list[int] = []
    for word in rest.translate(_SEPARATORS).split():
        if word.isdecimal() and len(word) <= 2 and len(numbers) < 2:
            numbers.append(int(word))
        elif numbers:
            break
    if not numbers:
        return _NEWEST
    return numbers[0], numbers[1] if len(numbers) > 1 else 0


def manner(conversation: Conversation, losses: Losses, quirks: Quirks) -> Manner:
    """What of the client's wishes the model takes. What it does not goes to `losses`."""
    claude = generation(conversation.model)
    sampling = without(conversation.sampling, _UNKNOWN, losses)
    limit = sampling.max_tokens
    longest = (quirks.default_max_tokens or _usual_limit(claude)) if limit is None else limit
    wish = conversation.reasoning
    thinking: dict[str, object] | None = None
    effort = ""
    if wish is not None and is_off(wish):
        # older ones do not think unless asked, and some refuse the word
        thinking = {"type": "disabled"} if claude is None or claude >= _THINKS_UNASKED else None
    elif wish is not None:
        thinking, effort = _thinking(conversation, wish, claude, longest, losses, quirks)
        budget = thinking.get("budget_tokens") if thinking else None
        if isinstance(budget, int) and budget >= longest:
            longest = budget + _ROOM
    thinks = thinking is not None and thinking["type"] != "disabled"
    return Manner(
        max_tokens=longest,
        sampling=_drawn(sampling, claude, losses, thinks=thinks),
        thinking=thinking,
        effort=effort,
    )


def _usual_limit(claude: Generation | None) -> int:
    """The API demands a limit: the most that every model of the generation takes."""
    if claude is None:
        return 8_192
    return 4_096 if claude < (3, 5) else 8_192 if claude < _THINKS else 32_000


def _thinking(
    conversation: Conversation,
    wish: Reasoning,
    claude: Generation | None,
    longest: int,
    losses: Losses,
    quirks: Quirks,
) -> tuple[dict[str, object] | None, str]:
    choice = conversation.tool_choice
    forced = choice is not None and choice.use in (ToolUse.REQUIRED, ToolUse.NAMED) and conversation.tools
    if forced or (claude is not None and claude < _THINKS):
        losses.lose("reasoning")
        return None, ""
    adapts = claude is not None and claude >= _ADAPTS and "reasoning.effort" not in quirks.unsupported
    only_adapts = "reasoning.budget_tokens" in quirks.unsupported or (
        claude is not None and claude >= _ONLY_ADAPTS
    )
    budget = wish.budget_tokens or 0
    if only_adapts or (adapts and budget <= 0):
        return _adaptive(wish, claude)
    if _goes_on_without(conversation.turns):
        # a client that does not send thoughts back has called tools; the API refuses to think on from there. Nothing
        # is told as lost: the turn began with thinking, and would otherwise end at its first call
        return None, ""
    limit = conversation.sampling.max_tokens
    if budget > 0:
        tokens = max(budget, LEAST_BUDGET)
        tokens = tokens if limit is None else fitting(tokens, limit)
    else:
        tokens = budget_of(effort_wanted(wish) or Effort.MEDIUM, longest)
    if tokens == 0:
        losses.lose("reasoning")
        return None, ""
    return {"type": "enabled", "budget_tokens": tokens}, ""


def _adaptive(wish: Reasoning, claude: Generation | None) -> tuple[dict[str, object], str]:
    thinking: dict[str, object] = {"type": "adaptive"}
    current = claude is None or claude >= _ONLY_ADAPTS
    if wish.summary and current:
        thinking["display"] = "summarized"  # they show nothing unless asked
    effort = effort_wanted(wish)
    if effort is None:
        return thinking, ""
    return thinking, "high" if effort is Effort.XHIGH and not current else _EFFORTS[effort]


def _goes_on_without(turns: tuple[Turn, ...]) -> bool:
    """Whether the model is in the middle of a turn, after calls, that does not begin with a thought of its own."""
    place = len(turns) - 1
    while place >= 0 and turns[place].speaker is not Speaker.ASSISTANT:
        place -= 1
    after = turns[place + 1 :]
    if place < 0 or not any(isinstance(part, ToolResult) for turn in after for part in turn.parts):
        return False
    while place > 0 and turns[place - 1].speaker is Speaker.ASSISTANT:
        place -= 1
    first = turns[place].parts[0] if turns[place].parts else None
    return not (isinstance(first, Thinking) and is_own(first))


def _drawn(sampling: Sampling, claude: Generation | None, losses: Losses, *, thinks: bool) -> Sampling:
    """The sampling parameters that the model takes."""
    if claude is not None and claude >= _ONLY_ADAPTS:
        return without(sampling, _DRAWN, losses)
    if thinks:
        refused: tuple[str, ...] = ("temperature", "top_k")
        if sampling.top_p is not None and not 0.95 <= sampling.top_p <= 1:
            refused += ("top_p",)
        sampling = without(sampling, refused, losses)
    if sampling.temperature is not None and sampling.temperature > 1:  # OpenAI's goes to 2
        sampling = without(sampling, ("temperature",), losses)
    if sampling.temperature is not None and sampling.top_p is not None and (claude or _NEWEST) >= _ONE_OF_TWO:
        if not asks(sampling, "temperature"):
            return replace(sampling, temperature=None)
        return without(sampling, ("top_p",), losses) if claude is not None else sampling
    return sampling

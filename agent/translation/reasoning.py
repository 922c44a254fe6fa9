"""How hard a model thinks, said as an effort (OpenAI) or as a budget of tokens (Anthropic, Gemini): the way from one to
the other. No vendor defines it; the budgets are near those that agents ask for by name (4,000 to 32,000)."""

from __future__ import annotations

from agent.model.conversation import Effort, Reasoning

_BUDGETS = (
    (Effort.MINIMAL, 1_024),
    (Effort.LOW, 4_096),
    (Effort.MEDIUM, 10_240),
    (Effort.HIGH, 24_576),
    (Effort.XHIGH, 49_152),
)
_BUDGET = dict(_BUDGETS)
LEAST_BUDGET = 1_024  # Anthropic refuses less


def budget_of(effort: Effort, max_tokens: int) -> int:
    """How many of `max_tokens` may be thoughts. Always less than `max_tokens`, as a fifth at least is left for the
    answer; 0 where that leaves no room to think, or nothing is to be thought."""
    return min(_BUDGET.get(effort, 0), _room(max_tokens))


def fitting(budget: int, max_tokens: int) -> int:
    """`budget`, made smaller where it is not below `max_tokens`; 0 where there is no room to think."""
    return budget if budget < max_tokens else _room(max_tokens)


def _room(max_tokens: int) -> int:
    room = max_tokens * 4 // 5
    return room if room >= LEAST_BUDGET else 0


def effort_of(budget: int) -> Effort:
    """The least effort whose budget holds `budget`; medium where the amount is left to the model (-1)."""
    if budget == 0:
        return Effort.NONE
    if budget < 0:
        return Effort.MEDIUM
    return next((effort for effort, tokens in _BUDGETS if budget <= tokens), Effort.XHIGH)


def is_off(reasoning: Reasoning) -> bool:
    """Whether the client asks the model not to think."""
    return reasoning.effort is Effort.NONE or (reasoning.effort is None and reasoning.budget_tokens == 0)


def effort_wanted(reasoning: Reasoning) -> Effort | None:
    """The effort that the client asks for, in so many words or by its budget; None where it leaves it open."""
    if reasoning.effort is not None or reasoning.budget_tokens is None or reasoning.budget_tokens < 0:
        return reasoning.effort
    return effort_of(reasoning.budget_tokens)

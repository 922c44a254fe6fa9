"""How hard a model thinks, said by effort or by a budget of tokens, each in terms of the other.

OpenAI's formats know efforts, Anthropic's and Gemini's budgets. No vendor documents a rate of exchange; the ladder here
is the one that both directions share, so that a value that goes there and back is the same again.
"""

from __future__ import annotations

from agent.model.conversation import Effort

_LADDER = (
    (Effort.NONE, 0),
    (Effort.MINIMAL, 1024),
    (Effort.LOW, 2048),
    (Effort.MEDIUM, 8192),
    (Effort.HIGH, 16384),
    (Effort.XHIGH, 32768),
)
_BUDGETS = dict(_LADDER)


def budget_of(effort: Effort, max_tokens: int | None) -> int:
    """Tokens to think with. Stays below `max_tokens`, which holds thought and answer together."""
    budget = _BUDGETS[effort]
    return budget if max_tokens is None else min(budget, max(max_tokens - 1, 0))


def effort_of(budget: int) -> Effort:
    """The effort whose budget is nearest from below; -1, an amount left to the model, is its middle."""
    if budget < 0:
        return Effort.MEDIUM
    known = [effort for effort, least in _LADDER if least <= budget]
    return known[-1] if len(known) > 1 or not budget else Effort.MINIMAL

"""Detection of prompt injection by a small linear model, offline and in microseconds.

`bundled_scorer()` loads it once; `findings(text)` judges a whole text, `stream()` one that arrives in pieces, with
the same findings. The model reads words, their neighbours, concepts of a lexicon in many languages, and which rules of
`rules/injection.toml` hit; `docs/injection-model.md` says what it was trained on and what it cannot do. Pure.
"""

from __future__ import annotations

from agent.guardrails.injection.scorer import (
    INJECTION_RULE,
    INJECTION_TYPE,
    InjectionScorer,
    ScoreStream,
    bundled_scorer,
)
from agent.guardrails.injection.signs import sought_in_windows, window_rules
from agent.guardrails.injection.windows import Window, WindowFeed, windows

__all__ = [
    "INJECTION_RULE",
    "INJECTION_TYPE",
    "InjectionScorer",
    "ScoreStream",
    "Window",
    "WindowFeed",
    "bundled_scorer",
    "sought_in_windows",
    "window_rules",
    "windows",
]

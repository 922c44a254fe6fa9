"""How hard a request looks, from the outside: a cheap guess that routing rules may use as `tier`.

It adds points, and never asks a model:

| what | points |
|---|---|
| the newest words of the user: from 400 / 2,000 / 8,000 characters on | 1 / 2 / 3 |
| the whole request: from 8,000 / 40,000 / 120,000 tokens on | 1 / 2 / 3 |
| tools offered: any / more than 8 | 1 / 2 |
| earlier turns: from 6 / 20 on | 1 / 2 |
| code in the newest words (fences, or two signs of it) | 1 |
| words that ask for thought (prove, design, debug, analyse, step by step …): one / three or more | 1 / 2 |
| the client asks for reasoning | 2 |

0 or 1 is simple, 2 to 4 medium, from 5 on complex. Of long texts the head and the tail are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_HEAD, _TAIL = 400, 200
_THOUGHT = (
    "prove",
    "proof",
    "derive",
    "design",
    "architect",
    "debug",
    "refactor",
    "analy",  # analyse, analyze, analysis
    "optimi",
    "trade-off",
    "root cause",
    "step by step",
    "compare",
    "strategy",
    "evaluate",
    "reason about",
    "vulnerabilit",
    "beweis",
    "entwirf",
    "démontre",
)
_CODE = (
    "def ",
    "class ",
    "import ",
    "function ",
    "#include",
    "select ",
    "{\n",
    "();",
    "=> ",
    "</",
    "traceback",
)


class Complexity(StrEnum):
    """The tier of a request."""

    SIMPLE = "simple"
    MEDIUM = "medium"
    COMPLEX = "complex"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What is looked at. `newest` is what the user said last; `turns` counts those before it."""

    newest: str
    tokens: int = 0
    turns: int = 0
    tools: int = 0
    reasoning: bool = False


def complexity(looks: Looks) -> Complexity:
    """The tier of a request that looks so."""
    points = (
        _steps(len(looks.newest), 400, 2000, 8000)
        + _steps(looks.tokens, 8000, 40_000, 120_000)
        + _steps(looks.tools, 1, 9)
        + _steps(looks.turns, 6, 20)
        + 2 * looks.reasoning
        + _words(looks.newest)
    )
    if points < 2:
        return Complexity.SIMPLE
    return Complexity.MEDIUM if points < 5 else Complexity.COMPLEX


def _steps(value: int, *steps: int) -> int:
    return sum(value >= step for step in steps)


def _words(text: str) -> int:
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    text = text.lower()
    code = "```" in text or sum(sign in text for sign in _CODE) >= 2
    return code + _steps(sum(word in text for word in _THOUGHT), 1, 3)

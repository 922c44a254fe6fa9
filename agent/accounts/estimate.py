"""How many tokens a text will be, before the provider has counted them, and where it never does. Pure.

Bytes of UTF-8 divided by four, corrected by what the same model said about texts of the same kind before. Images and
documents go by rules of thumb; they are meant to be too high rather than too low.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.model.direct import direct

BYTES_PER_TOKEN = 4
IMAGE_TOKENS = 1600
"""Of an image of unknown size: the most that Anthropic counts (width × height / 750 up to 1568 pixels a side), and more
than OpenAI's 765 for 1024 × 1024 in high detail or Gemini's 258 a tile of 768."""
LOW_DETAIL_TOKENS = 85
"""Of an image in OpenAI's low detail."""
PAGE_TOKENS = 3000
"""Of a page of a PDF: Anthropic names 1,500-3,000."""
PAGE_BYTES = 50_000
"""Of a PDF whose pages nobody counted."""
AUDIO_TOKENS_PER_SECOND = 32
"""Gemini's; OpenAI's is 10."""
REQUEST_TOKENS = 8
"""What surrounds the texts: roles, separators."""

_TABLE = 512  # pairs of model and kind that are remembered
_LEAST = 64  # tokens; shorter texts say little
_WEIGHT = 0.2  # of the newest count
_LOWEST, _HIGHEST = 0.25, 4.0
_CAUTION = 1.1  # of a prompt whose ratio was learnt: texts differ
_DOUBT = 1.3  # of one whose ratio nobody knows yet


class TextKind(StrEnum):
    """What a text is; kinds differ in tokens a byte."""

    PROMPT = "prompt"
    ANSWER = "answer"


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is known of a request's size. `text_bytes` is UTF-8 of all texts, tool definitions included."""

    text_bytes: int = 0
    images: int = 0
    low_detail_images: int = 0
    document_bytes: int = 0
    document_pages: int = 0
    audio_seconds: int = 0

    @property
    def other_tokens(self) -> int:
        """Tokens of what is no text."""
        if not (self.images or self.low_detail_images or self.document_bytes or self.audio_seconds):
            return self.document_pages * PAGE_TOKENS
        pages = self.document_pages or -(-self.document_bytes // PAGE_BYTES)
        return (
            self.images * IMAGE_TOKENS
            + self.low_detail_images * LOW_DETAIL_TOKENS
            + pages * PAGE_TOKENS
            + self.audio_seconds * AUDIO_TOKENS_PER_SECOND
        )


class Estimator:
    """Estimates, and learns from what providers say. The table is bounded: the pair met longest ago goes first."""

    def __init__(self) -> None:
        self._ratios: dict[tuple[str, TextKind], float] = {}

    def tokens(self, model: str, kind: TextKind, text_bytes: int) -> int:
        """Tokens of so many bytes, as near as can be told."""
        return int(text_bytes / BYTES_PER_TOKEN * self._ratios.get((model, kind), 1.0)) + 1

    def prompt(self, model: str, measure: Measure) -> int:
        """Tokens of a whole request, rather too many: for a reservation."""
        ratio = self._ratios.get((model, TextKind.PROMPT))
        caution = _DOUBT if ratio is None else ratio * _CAUTION
        text = int(measure.text_bytes / BYTES_PER_TOKEN * caution)
        return text + measure.other_tokens + REQUEST_TOKENS

    def learn(self, model: str, kind: TextKind, text_bytes: int, tokens: int) -> None:
        """The provider counted `tokens` for a text of so many bytes, and nothing but text."""
        if tokens < _LEAST or text_bytes <= 0:
            return
        seen = min(max(tokens * BYTES_PER_TOKEN / text_bytes, _LOWEST), _HIGHEST)
        key = (model, kind)
        old = self._ratios.get(key)
        if old is None and len(self._ratios) >= _TABLE:
            del self._ratios[next(iter(self._ratios))]
        self._ratios[key] = seen if old is None else old + _WEIGHT * (seen - old)

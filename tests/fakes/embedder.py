"""An embedder without a model: a prompt is the bag of its words, each a direction of its own."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

from agent.errors import CacheError

DIMENSIONS = 128


def direction(word: str) -> list[float]:
    generator = random.Random(hashlib.sha256(word.encode()).digest())
    return [generator.gauss(0, 1) for _ in range(DIMENSIONS)]


class BagOfWords:
    """Implements `Embedder`: texts of the same words, in whatever order, point the same way."""

    def __init__(self, name: str = "bag") -> None:
        self.name = name
        self.asked: list[str] = []
        self.down = False

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float] | None]:
        self.asked += texts
        if self.down:
            raise CacheError("the model is away")
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        words = text.lower().strip("?.! ").split()
        return [sum(numbers) for numbers in zip(*map(direction, words), strict=True)]

    def close(self) -> None:
        pass

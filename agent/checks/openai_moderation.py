"""OpenAI's moderation endpoint. Harmful content only: it knows no personal data, secrets or attacks.

Source: platform.openai.com/docs/api-reference/moderations, and the types of the `openai` package.
"""

from __future__ import annotations

from agent.checks import reading
from agent.checks.ports import Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import Service, whole
from agent.model.content import Where
from agent.policy.checks import OpenAIModerationCheck

PATH = "/v1/moderations"
MAX_CHARS = 20_000  # a cautious share of the model's context of 32,768 tokens
MAX_INPUTS = 16  # an array of inputs is judged one by one; its largest size is not documented


class Moderation:
    """Implements `ports.Adapter`. A finding is about the whole text."""

    limits = Limits(chars=MAX_CHARS, pieces=MAX_INPUTS, total=MAX_CHARS)

    def __init__(self, check: OpenAIModerationCheck, http: Http, keys: Keys) -> None:
        self._service = Service(http, keys, f"{check.url}{PATH}", key=check.key)
        self._model = check.model
        self._categories = frozenset(check.categories)
        self._min_score = check.min_score

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        del where
        document = {"model": self._model, "input": [piece.text for piece in pieces]}
        answer = reading.json_object(await self._service.ask(document))
        results = reading.as_list(answer.get("results"), "results")
        if len(results) != len(pieces):
            raise reading.malformed("results does not speak of every input")
        return tuple(self._marks(piece, result) for piece, result in zip(pieces, results, strict=True))

    def _marks(self, piece: Piece, value: Json) -> tuple[Mark, ...]:
        result = reading.as_object(value, "a result")
        flags = reading.as_object(result.get("categories"), "categories")
        scores = reading.as_object(result.get("category_scores"), "category_scores")
        marks: list[Mark] = []
        for name, flag in flags.items():
            if flag is None or (self._categories and name not in self._categories):
                continue  # categories that a model does not know are null
            score = reading.as_share(scores.get(name), "a score")
            flagged = reading.as_flag(flag, "a category")
            if flagged if self._min_score is None else score >= self._min_score:
                marks.append(whole(piece, reading.as_category(name, "a category"), score))
        return tuple(marks)

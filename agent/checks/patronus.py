"""Patronus's Evaluate API: one text, several evaluators, each passes it or does not.

Source: docs.patronus.ai (Evaluate API); the fields as the integrations of NeMo Guardrails and Portkey use them.
"""

from __future__ import annotations

from agent.checks import reading
from agent.checks.ports import Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import KeyHeader, Service, whole
from agent.model.content import Where
from agent.policy.checks import PatronusCheck

PATH = "/v1/evaluate"
KEY = KeyHeader(name="X-API-KEY", prefix="")
MAX_CHARS = 16_000  # not documented: what a judging model takes with ease


class Patronus:
    """Implements `ports.Adapter`. An evaluator that a text does not pass is a finding about the whole of it."""

    limits = Limits(chars=MAX_CHARS)

    def __init__(self, check: PatronusCheck, http: Http, keys: Keys) -> None:
        self._service = Service(http, keys, f"{check.url}{PATH}", key=check.key, header=KEY)
        self._evaluators = [each.model_dump(exclude_none=True) for each in check.evaluators]
        self._names = [each.criteria or each.evaluator for each in check.evaluators]

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        (piece,) = pieces
        said = "evaluated_model_output" if where is Where.ANSWER else "evaluated_model_input"
        document = {"evaluators": self._evaluators, said: piece.text, "capture": "none"}
        answer = reading.json_object(await self._service.ask(document))
        results = reading.as_list(answer.get("results"), "results")
        if len(results) != len(self._names):
            raise reading.malformed("results does not speak of every evaluator")
        return (
            tuple(
                mark
                for name, each in zip(self._names, results, strict=True)
                for mark in _marks(piece, name, each)
            ),
        )


def _marks(piece: Piece, name: str, value: Json) -> tuple[Mark, ...]:
    result = reading.as_object(value, "a result")
    if result.get("status", "success") != "success":  # an evaluator that broke has not passed anything
        raise reading.malformed("an evaluator did not succeed")
    verdict = reading.as_object(result.get("evaluation_result"), "evaluation_result")
    return () if reading.as_flag(verdict.get("pass"), "pass") else (whole(piece, name),)

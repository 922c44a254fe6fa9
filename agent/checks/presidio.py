"""A Presidio analyzer. Places are code points, as ours, for it is written in Python; `end` is not inside the span.

Source: microsoft.github.io/presidio/api-docs, and presidio-analyzer's app.py.
"""

from __future__ import annotations

from agent.checks import reading
from agent.checks.ports import Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import SMALLEST, Service
from agent.model.content import Where
from agent.policy.checks import PresidioCheck

PATH = "/analyze"
MAX_CHARS = 10_000  # its containers have one worker: a long text keeps everyone else waiting


class Presidio:
    """Implements `ports.Adapter`."""

    limits = Limits(chars=MAX_CHARS)

    def __init__(self, check: PresidioCheck, http: Http, keys: Keys) -> None:
        self._service = Service(http, keys, f"{check.url}{PATH}", key=check.key)
        self._wishes: dict[str, object] = {"language": check.language, "score_threshold": check.min_score}
        if check.entities:
            self._wishes["entities"] = list(check.entities)
        self._min_score = check.min_score

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        del where
        (piece,) = pieces
        found = reading.json_list(await self._service.ask({"text": piece.text, **self._wishes}))
        marks = (_mark(piece, reading.as_object(value, "a result")) for value in found)
        return (tuple(mark for mark in marks if mark.score >= self._min_score),)


def _mark(piece: Piece, item: dict[str, Json]) -> Mark:
    start, end = reading.as_whole(item.get("start"), "start"), reading.as_whole(item.get("end"), "end")
    start, end = reading.within(start, end, piece.text, "a result")
    return Mark(
        start=start,
        end=end,
        category=reading.as_category(item.get("entity_type"), "entity_type"),
        score=max(reading.as_share(item.get("score"), "score"), SMALLEST),
    )

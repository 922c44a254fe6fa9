"""A service of the company's own. docs/checks.md holds the contract; `VERSION` changes with it.

What it says should be done (`action`) is not read: what is done, the policy says.
"""

from __future__ import annotations

from agent.checks import reading
from agent.checks.ports import MAX_MARKS, Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import SMALLEST, Service, whole
from agent.model.content import Where
from agent.policy.checks import WebhookCheck

VERSION = 1
MAX_CHARS = 50_000
MAX_SEGMENTS = 64


class Webhook:
    """Implements `ports.Adapter`."""

    limits = Limits(chars=MAX_CHARS, pieces=MAX_SEGMENTS, total=2 * MAX_CHARS)

    def __init__(self, check: WebhookCheck, http: Http, keys: Keys) -> None:
        self._service = Service(http, keys, check.url, key=check.key)
        self._check = check.id

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        answer = reading.json_object(
            await self._service.ask(
                {
                    "version": VERSION,
                    "check": self._check,
                    "direction": where.value,
                    "segments": [
                        {"id": str(place), "role": piece.role.value, "text": piece.text}
                        for place, piece in enumerate(pieces)
                    ],
                }
            )
        )
        marks: list[list[Mark]] = [[] for _ in pieces]
        findings = reading.as_list(answer.get("findings"), "findings")
        if len(findings) > MAX_MARKS:
            raise reading.malformed("there are too many findings")
        for value in findings:
            item = reading.as_object(value, "a finding")
            place = _place(item, len(pieces))
            marks[place].append(_mark(pieces[place], item))
        return tuple(map(tuple, marks))


def _place(item: dict[str, Json], count: int) -> int:
    name = reading.as_text(item.get("segment"), "segment")
    if not name.isascii() or not name.isdecimal() or len(name) > 4 or int(name) >= count:
        raise reading.malformed("a finding is about no segment that was sent")
    return int(name)


def _mark(piece: Piece, item: dict[str, Json]) -> Mark:
    category = reading.as_category(item.get("type"), "type")
    score = max(reading.as_share(item.get("score", 1.0), "score"), SMALLEST)
    if "start" not in item and "end" not in item:
        return whole(piece, category, score)
    start, end = reading.as_whole(item.get("start"), "start"), reading.as_whole(item.get("end"), "end")
    start, end = reading.within(start, end, piece.text, "a finding")
    return Mark(start=start, end=end, category=category, score=score)

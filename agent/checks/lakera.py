"""Lakera Guard v2. Which detectors run, and how sure they must be, is set in the project's policy at Lakera.

Source: docs.lakera.ai/api-reference (guard); the payload's fields as LiteLLM's types have them. The documentation does
not say whether `end` is inside the span, and integrations differ: the matched text decides, where it is given.
"""

from __future__ import annotations

from agent.checks import reading
from agent.checks.ports import Http, Keys, Limits, Mark, Piece
from agent.checks.reading import Json
from agent.checks.service import Service, occurrences, whole
from agent.model.content import Role, Where
from agent.policy.checks import LakeraCheck

PATH = "/v2/guard"
MAX_CHARS = 20_000  # Lakera cuts long texts itself; small calls are answered sooner
FLAGGED = "flagged"
_ROLES = {Role.SYSTEM: "system", Role.USER: "user"}


class Lakera:
    """Implements `ports.Adapter`. Findings with places where Lakera gives them, else about the whole text."""

    limits = Limits(chars=MAX_CHARS)

    def __init__(self, check: LakeraCheck, http: Http, keys: Keys) -> None:
        self._service = Service(http, keys, f"{check.url}{PATH}", key=check.key)
        self._project = {"project_id": check.project} if check.project else {}

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """See `ports.Adapter`."""
        (piece,) = pieces
        role = "assistant" if where is Where.ANSWER else _ROLES.get(piece.role, "user")
        answer = reading.json_object(
            await self._service.ask(
                {
                    "messages": [{"role": role, "content": piece.text}],
                    **self._project,
                    "breakdown": True,
                    "payload": True,
                }
            )
        )
        flagged = reading.as_flag(answer.get("flagged"), "flagged")
        marks = [
            mark
            for value in reading.optional_list(answer.get("payload"), "payload")
            for mark in _places(piece, reading.as_object(value, "a match"))
        ]
        seen = {mark.category for mark in marks}
        marks += [whole(piece, name) for name in _detected(answer) if name not in seen]
        if flagged and not marks:
            marks.append(whole(piece, FLAGGED))
        return (tuple(marks) if flagged else (),)


def _detected(answer: dict[str, Json]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for value in reading.optional_list(answer.get("breakdown"), "breakdown"):
        item = reading.as_object(value, "a detector")
        if reading.as_flag(item.get("detected"), "detected"):
            names[reading.as_category(item.get("detector_type"), "detector_type")] = None
    return tuple(names)


def _places(piece: Piece, item: dict[str, Json]) -> tuple[Mark, ...]:
    category = reading.as_category(item.get("detector_type"), "detector_type")
    start, end = reading.as_whole(item.get("start"), "start"), reading.as_whole(item.get("end"), "end")
    said = item.get("text")
    if isinstance(said, str) and said:
        for last in (end, end + 1):
            if start >= 0 and piece.text[start:last] == said:
                return (Mark(start=start, end=last, category=category),)
        return occurrences(piece, said, category)  # its places count in other units than ours
    start, end = reading.within(start, min(end + 1, len(piece.text)), piece.text, "a match")
    return (Mark(start=start, end=end, category=category),)  # one character too many rather than one too few

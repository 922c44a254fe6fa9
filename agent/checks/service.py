"""What the adapters of remote services share: a key in a header, a JSON document there and one back."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from agent.checks.ports import CheckError, Failure, Http, HttpAnswer, Keys, Mark, Piece

SMALLEST = 0.001
"""Scores of findings are above 0."""

_MANY = 100  # places of one value, beyond which the whole text is meant


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHeader:
    """The header that carries a key, and what stands before it."""

    name: str = "Authorization"
    prefix: str = "Bearer "


BEARER = KeyHeader()


class Service:
    """One address that JSON is posted to."""

    def __init__(
        self, http: Http, keys: Keys, url: str, *, key: str | None = None, header: KeyHeader = BEARER
    ) -> None:
        """`key` is a reference, None where the service wants none."""
        self._http = http
        self._keys = keys
        self._url = url
        self._key = key
        self._header = header

    async def ask(self, document: object) -> HttpAnswer:
        """Post `document`. Raises CheckError."""
        headers = {"Content-Type": "application/json"}
        if self._key is not None:
            headers[self._header.name] = f"{self._header.prefix}{await self._keys.read(self._key)}"
        answer = await self._http.post(self._url, headers, orjson.dumps(document))
        if answer.status in (401, 403):
            if self._key is not None:
                self._keys.forget(self._key)
            raise CheckError(Failure.CREDENTIALS, f"status {answer.status}")
        return answer


def whole(piece: Piece, category: str, score: float = 1.0) -> Mark:
    """A mark on the whole of a piece, for services that give no places."""
    return Mark(start=0, end=len(piece.text), category=category, score=max(score, SMALLEST))


def occurrences(piece: Piece, value: str, category: str, score: float = 1.0) -> tuple[Mark, ...]:
    """Marks where a service says only what it found: wherever that stands, or on the whole where it does not."""
    marks: list[Mark] = []
    at = piece.text.find(value) if value else -1
    while at >= 0:
        marks.append(Mark(start=at, end=at + len(value), category=category, score=score))
        at = piece.text.find(value, at + len(value))
    return tuple(marks) if 0 < len(marks) <= _MANY else (whole(piece, category, score),)

"""What the parts of a check promise each other: pieces of text, marks in them, and how a check fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agent.model.content import Role, Where

MAX_MARKS = 1000
"""Marks in one piece beyond which an answer is nonsense."""


class Failure(StrEnum):
    """Why a check could not be made."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"  # no connection, no name, bad TLS, or it broke off
    STATUS = "status"  # an HTTP status other than 200
    REDIRECT = "redirect"  # redirects are never followed
    MALFORMED = "malformed"  # an answer that is not what the service promises
    TOO_LARGE = "too_large"  # an answer beyond the limit
    CREDENTIALS = "credentials"  # a key that cannot be read, or was refused
    LEFT_ALONE = "left_alone"  # it failed too often: not asked for a while
    TOO_LONG = "too_long"  # more new text than `max_chars`
    MODEL = "model"  # a classifier that cannot be loaded or run
    NOT_RUNNING = "not_running"


class CheckError(Exception):
    """One call came to nothing. `detail` is for the log: never content, never a key."""

    def __init__(self, failure: Failure, detail: str = "") -> None:
        super().__init__(f"{failure}: {detail}" if detail else str(failure))
        self.failure = failure
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A text, or a part of one, as a service is sent it: no lone surrogates, nothing private."""

    role: Role
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """A span of a piece in which a service sees something: Python str indices, `start < end`."""

    start: int
    end: int
    category: str
    score: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call may hold: characters of a piece, pieces, and characters of all pieces together."""

    chars: int
    pieces: int = 1
    total: int | None = None


class Adapter(Protocol):
    """Speaks to one service, or runs one classifier."""

    @property
    def limits(self) -> Limits:
        """What one call may hold."""
        ...

    async def ask(self, where: Where, pieces: tuple[Piece, ...]) -> tuple[tuple[Mark, ...], ...]:
        """The marks in each piece, in the order of the pieces. Raises CheckError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """A service's answer, whole."""

    status: int
    body: bytes = field(repr=False)


class Http(Protocol):
    """Posts to services."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """The answer, whatever its status. Raises CheckError where there is none or it is too large."""
        ...


class Keys(Protocol):
    """Reads the keys that references name."""

    async def read(self, reference: str) -> str:
        """The key. Raises CheckError."""
        ...

    def forget(self, reference: str) -> None:
        """Read it anew next time: the service refused it."""
        ...

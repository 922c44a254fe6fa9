"""What was read out of a file: values that cross from the process that reads to the one that judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Problem(StrEnum):
    """Why a file was not read, or not all of it."""

    ENCRYPTED = "encrypted"
    DAMAGED = "damaged"  # not what its type promises, cut short, or not base64
    UNSUPPORTED = "unsupported"  # of a type that nothing here reads
    TOO_LARGE = "too_large"  # bytes, characters, pages, or entries beyond a limit
    BOMB = "bomb"  # it unpacks to far more than it is
    NESTED = "nested"  # archives inside archives, deeper than a limit
    ENTITIES = "entities"  # XML that declares entities or a document type
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"  # the process that read it ended, or an error of ours
    BUSY = "busy"  # too many others were waiting
    PENDING = "pending"  # only a part of it has come
    UNKNOWN_FILE = "unknown_file"  # meant by an id that was not uploaded through here


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One text out of a file. `rewritable` marks the file's own text: the bytes, decoded by `Reading.codec`. Others
    are views, such as what a page shows of its markup."""

    text: str = field(repr=False)
    rewritable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file is by its content, and what it says.

    With a `problem` the passages hold what was read before it came up: they are judged all the same.
    """

    type: str
    passages: tuple[Passage, ...] = ()
    codec: str = ""  # Python's name of the encoding, for a text
    problem: Problem | None = None
    pages: int | None = None
    entries: int | None = None
    pixels: tuple[int, int] | None = None
    silent: bool = False  # of a kind that holds no text to read: pictures, sounds, films

    @property
    def characters(self) -> int:
        """Of all its texts; the file's own text where it is one."""
        own = [passage for passage in self.passages if passage.rewritable]
        return sum(len(passage.text) for passage in (own or self.passages))

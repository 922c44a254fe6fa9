"""Files of JSON, one document to a line (JSON Lines): their lines, and edits in them. A line that no edit touches stays
as it came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.dialects.jsonedits import edit
from agent.errors import ContentError
from agent.model.content import Edit

MAX_LINES = 100_000


def lines_of(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that hold something, with their numbers. Raises ContentError where there are too many."""
    for number, line in enumerate(body.split(b"\n")):
        if number >= MAX_LINES:
            raise ContentError(f"a file of more than {MAX_LINES} lines")
        if line.strip():
            yield number, line


def edit_lines(body: bytes, edits: Iterable[tuple[int, Edit]]) -> bytes:
    """The file with edits made, each in the line of that number. Raises ContentError."""
    by_line: dict[int, list[Edit]] = {}
    for number, one in edits:
        by_line.setdefault(number, []).append(one)
    lines = body.split(b"\n")
    for number, ones in by_line.items():
        lines[number] = edit(lines[number], tuple(ones))
    return b"\n".join(lines)

"""Small files of one JSON object a line, for what people tell the agent: bounded, private, written whole.

Two writers at the same moment do not damage the file, but the later one wins. Everything here blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import orjson

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

MAX_BYTES = 1024 * 1024

type Record = dict[str, object]


def read_records(path: Path) -> tuple[Record, ...]:
    """The records of a file, oldest first; none where there is no file. A line that is no object is left out.
    Raises HostError for a file that is too large, or that others may open."""
    return tuple(_parsed((read_private(path, limit=MAX_BYTES) or b"").splitlines()))


def add_record(path: Path, record: Record, *, keep: Callable[[Record], bool] = lambda record: True) -> None:
    """Add a record behind the others. Those that `keep` refuses go, and the oldest where the file would grow beyond
    MAX_BYTES. Raises HostError."""
    newest = orjson.dumps(record) + b"\n"
    if len(newest) > MAX_BYTES:
        raise HostError(f"this is too much for {path}: {len(newest)} bytes")
    lines = [newest]
    room = MAX_BYTES - len(newest)
    for old in reversed(read_records(path)):
        line = orjson.dumps(old) + b"\n"
        if not keep(old):
            continue
        room -= len(line)
        if room < 0:
            break
        lines.append(line)
    write_atomically(path, b"".join(reversed(lines)))


def _parsed(lines: Iterable[bytes]) -> Iterable[Record]:
    for line in lines:
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(found, dict):
            yield found

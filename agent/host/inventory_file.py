"""What AI software was found on this machine, and since when, kept over restarts: a private JSON file in the state
directory. Names, versions and places of this machine, no content. Everything here blocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

from agent.errors import HostError
from agent.host.files import read_private, write_atomically
from agent.model.inventory import Found, FoundKind

_LIMIT = 16 * 1024 * 1024
_VERSION = 1
_HINT = "Remove the file: everything is then reported as new once more."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A finding, and when it was found first and last (Unix seconds)."""

    found: Found
    first_seen: float
    last_seen: float


class InventoryFile:
    """Reads and writes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Kept, ...]:
        """What was found; nothing where there is no file. Raises HostError."""
        data = read_private(self.path, limit=_LIMIT)
        if data is None:
            return ()
        try:
            document = orjson.loads(data)
            if document["version"] != _VERSION:
                raise HostError(f"{self.path} was written by another version", hint=_HINT)
            return tuple(_kept(row) for row in document["found"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HostError(f"{self.path} is damaged", hint=_HINT) from error

    def write(self, kept: Iterable[Kept]) -> None:
        """Put `kept` in the place of what is there. Raises HostError."""
        rows = [
            {**asdict(each.found), "first_seen": each.first_seen, "last_seen": each.last_seen}
            for each in kept
        ]
        write_atomically(self.path, orjson.dumps({"version": _VERSION, "found": rows}) + b"\n")


def _kept(row: dict[str, object]) -> Kept:
    first, last = row["first_seen"], row["last_seen"]
    if not isinstance(first, int | float) or not isinstance(last, int | float):
        raise TypeError
    values = {each.name: row[each.name] for each in fields(Found)}
    models = values["models"]
    if not isinstance(models, list) or not isinstance(values["port"], int):
        raise TypeError
    texts = [each for name, each in values.items() if name not in ("models", "port")]
    if not all(isinstance(each, str) for each in (*texts, *models)):
        raise TypeError
    values |= {"kind": FoundKind(str(values["kind"])), "models": tuple(models)}
    return Kept(found=Found(**values), first_seen=first, last_seen=last)  # type: ignore[arg-type]  # just checked

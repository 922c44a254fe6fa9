"""What whoever stands in for the engine must know: the hosts to which nothing may pass unseen, and the PAC file.

Written by the engine whenever a policy takes force, read by the supervisor while no engine runs. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_private, write_atomically

_LIMIT = 4 * 1024 * 1024  # bytes
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInFacts:
    """`closed`: hosts, as the catalog writes them (`name`, `*.suffix`), to which nothing may pass unseen; every other
    host may. `pac`: the PAC file."""

    closed: frozenset[str] = frozenset()
    pac: str = ""

    def refuses(self, host: str) -> bool:
        """Whether a connection to `host` (lower case) must wait for an engine."""
        if host in self.closed:
            return True
        rest = host
        while (dot := rest.find(".")) >= 0:
            rest = rest[dot + 1 :]
            if f"*.{rest}" in self.closed:
                return True
        return False


NOTHING_KNOWN = StandInFacts()
"""Before any policy was in force: everything passes, nothing is read."""


def write_standin(path: Path, closed: Iterable[str], pac: str) -> None:
    """Keep the facts. Blocks. Raises HostError."""
    document = {"version": _VERSION, "closed": sorted(closed), "pac": pac}
    write_atomically(path, json.dumps(document).encode())


def read_standin(path: Path) -> StandInFacts:
    """The facts last kept; `NOTHING_KNOWN` where there are none or they cannot be read. Blocks, never raises."""
    try:
        data = read_private(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        closed, pac = document.get("closed", []), document.get("pac", "")
        if document.get("version") == _VERSION and isinstance(pac, str) and isinstance(closed, list):
            return StandInFacts(closed=frozenset(map(str, closed)), pac=pac)
    except (HostError, ValueError, AttributeError):
        pass
    return NOTHING_KNOWN

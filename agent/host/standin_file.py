"""What whoever stands in for the engine must know: the hosts to which nothing may pass unseen, and the PAC file.

Written by the engine whenever a policy takes force, read by the supervisor while no engine runs. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import HostError
from agent.host.files import read_private, write_atomically
from agent.model.hostpattern import HostTable

_LIMIT = 4 * 1024 * 1024  # bytes
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInFacts:
    """`hosts`: for each catalogued host, whether nothing may pass to it unseen; every other host may be reached. `pac`:
    the PAC file."""

    hosts: HostTable[bool] = field(default_factory=HostTable)
    pac: str = ""

    def refuses(self, host: str) -> bool:
        """Whether a connection to `host` (lower case) must wait for an engine."""
        return bool(self.hosts.find(host))


def facts(hosts: Mapping[str, bool], pac: str = "") -> StandInFacts:
    """The facts of hosts as the catalog writes them. Raises ValueError for a bad template."""
    table = HostTable[bool]()
    for host, closed in hosts.items():
        table.put(host, closed)
    return StandInFacts(hosts=table, pac=pac)


def write_standin(path: Path, hosts: Mapping[str, bool], pac: str) -> None:
    """Keep the facts. Blocks. Raises HostError."""
    document = {"version": _VERSION, "hosts": dict(sorted(hosts.items())), "pac": pac}
    write_atomically(path, json.dumps(document).encode())


def read_standin(path: Path) -> StandInFacts:
    """The facts last kept; where there are none or they cannot be read, nothing is known and everything may pass.
    Blocks, never raises."""
    try:
        data = read_private(path, limit=_LIMIT)
        document = json.loads(data) if data is not None else {}
        hosts, pac = document.get("hosts"), document.get("pac")
        if document.get("version") == _VERSION and isinstance(pac, str) and isinstance(hosts, dict):
            return facts({host: bool(closed) for host, closed in hosts.items()}, pac)
    except (HostError, ValueError, AttributeError):
        pass
    return StandInFacts()

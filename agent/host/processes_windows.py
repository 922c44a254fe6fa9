"""The process behind a connection on Windows: one call lists all connections with their owners, for every user."""

from __future__ import annotations

from collections.abc import Callable

from agent.host.lineage import Lineage
from agent.host.process_table import ProcessTable, PsutilTable
from agent.host.processes import Endpoint, plain_endpoint
from agent.host.tcp_table_windows import owner_of
from agent.model.traffic import Process

type OwnerOf = Callable[[Endpoint, Endpoint], int | None]


class WindowsProcessFinder:
    """A `ProcessFinder` for Windows. May be used from several threads."""

    def __init__(self, table: ProcessTable | None = None, owner: OwnerOf = owner_of) -> None:
        self._table = table or PsutilTable()
        self._lineage = Lineage(self._table)
        self._owner = owner

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        """See `ProcessFinder`."""
        try:
            near, far = plain_endpoint(client), plain_endpoint(server)
        except ValueError:
            return None
        if (pid := self._owner(near, far)) is None:
            return None
        return self._lineage.process(pid, user=self._table.user(pid))

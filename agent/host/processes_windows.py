"""The process behind a connection on Windows: one call (GetExtendedTcpTable, through psutil) lists all
connections with their owners, for every user."""

from __future__ import annotations

from agent.host.process_table import ProcessTable, PsutilTable
from agent.host.processes import Endpoint, plain_endpoint
from agent.model.traffic import Process


class WindowsProcessFinder:
    """A `ProcessFinder` for Windows. May be used from several threads."""

    def __init__(self, table: ProcessTable | None = None) -> None:
        self._table = table or PsutilTable()

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        """See `ProcessFinder`."""
        try:
            ends = (plain_endpoint(client), plain_endpoint(server))
        except ValueError:
            return None
        for row in self._table.connections():
            if (row.local, row.remote) == ends:
                return self._table.process(row.pid)
        return None

"""The process behind a connection on macOS: each process is asked for its sockets (proc_pidfdinfo, through
psutil).

The system has no table of all connections for ordinary users, and even root's costs the same scan, so
processes seen lately are asked first and the rest newest first. A daemon that is not root sees its own
user's processes only.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from agent.host.bundles_darwin import Bundles
from agent.host.lineage import Lineage
from agent.host.process_table import ProcessTable, PsutilTable
from agent.host.processes import Endpoint, plain_endpoint
from agent.model.traffic import Process

_PROCESS_LIMIT = 8192
_RECENT_LIMIT = 64


class DarwinProcessFinder:
    """A `ProcessFinder` for macOS. May be used from several threads."""

    def __init__(self, table: ProcessTable | None = None) -> None:
        self._table = table or PsutilTable(Bundles().identifier)
        self._lineage = Lineage(self._table)
        self._recent: OrderedDict[int, None] = OrderedDict()  # pids, latest last
        self._guard = threading.Lock()

    def find(self, client: Endpoint, server: Endpoint) -> Process | None:
        """See `ProcessFinder`."""
        try:
            ends = (plain_endpoint(client), plain_endpoint(server))
        except ValueError:
            return None
        with self._guard:
            recent = list(reversed(self._recent))
        tried = frozenset(recent)
        others = [pid for pid in self._table.pids() if pid not in tried][:_PROCESS_LIMIT]
        for pid in (*recent, *others):
            if any((row.local, row.remote) == ends for row in self._table.connections_of(pid)):
                self._remember(pid)
                return self._lineage.process(pid, user=self._table.user(pid))
        return None

    def _remember(self, pid: int) -> None:
        with self._guard:
            self._recent[pid] = None
            self._recent.move_to_end(pid)
            while len(self._recent) > _RECENT_LIMIT:
                self._recent.popitem(last=False)

"""Windows: one table of all connections."""

from __future__ import annotations

from agent.host.process_table import OwnedConnection
from agent.host.processes_windows import WindowsProcessFinder
from agent.model.traffic import Process
from tests.fakes.host import FakeProcessTable

SERVER = ("127.0.0.1", 7717)
CLAUDE = Process(pid=10, name="claude")
TABLE = FakeProcessTable(
    rows=[
        OwnedConnection(pid=4, local=SERVER, remote=("127.0.0.1", 50001)),  # our end
        OwnedConnection(pid=10, local=("127.0.0.1", 50001), remote=SERVER),
        OwnedConnection(pid=11, local=("127.0.0.1", 50002), remote=SERVER),  # gone meanwhile
    ],
    processes={4: Process(pid=4, name="drawbridge"), 10: CLAUDE},
)


def test_the_clients_end_decides() -> None:
    assert WindowsProcessFinder(TABLE).find(("127.0.0.1", 50001), SERVER) == CLAUDE


def test_an_unknown_connection_address_or_process_gives_none() -> None:
    for client in (("127.0.0.1", 50003), ("localhost", 50001), ("127.0.0.1", 50002)):
        assert WindowsProcessFinder(TABLE).find(client, SERVER) is None

"""macOS: processes are asked one by one, those seen lately first."""

from __future__ import annotations

from agent.host.process_table import OwnedConnection
from agent.host.processes_darwin import DarwinProcessFinder
from agent.model.traffic import Process
from tests.fakes.host import FakeProcessTable

SERVER = ("127.0.0.1", 7717)
CLAUDE, CHROME = Process(pid=10, name="claude"), Process(pid=20, name="Chrome")
ROWS = [
    OwnedConnection(pid=10, local=("127.0.0.1", 50001), remote=SERVER),
    OwnedConnection(pid=20, local=("127.0.0.1", 50002), remote=SERVER),
    OwnedConnection(pid=20, local=SERVER, remote=("127.0.0.1", 50001)),  # the other end of claude's
]


def table() -> FakeProcessTable:
    return FakeProcessTable(rows=ROWS, processes={10: CLAUDE, 20: CHROME})


def test_the_clients_end_decides() -> None:
    assert DarwinProcessFinder(table()).find(("127.0.0.1", 50001), SERVER) == CLAUDE
    assert DarwinProcessFinder(table()).find(("::ffff:127.0.0.1", 50002), SERVER) == CHROME


def test_a_process_seen_lately_is_asked_first() -> None:
    asked = table()
    finder = DarwinProcessFinder(asked)
    finder.find(("127.0.0.1", 50001), SERVER)
    asked.asked.clear()
    finder.find(("127.0.0.1", 50001), SERVER)
    assert asked.asked == [10]


def test_an_unknown_connection_or_address_has_no_process() -> None:
    assert DarwinProcessFinder(table()).find(("127.0.0.1", 50003), SERVER) is None
    assert DarwinProcessFinder(table()).find(("localhost", 50001), SERVER) is None

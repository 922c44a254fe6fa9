"""macOS: processes are asked one by one, those seen lately first."""

from __future__ import annotations

from agent.host.process_table import OwnedConnection
from agent.host.processes import Endpoint
from agent.host.processes_darwin import DarwinProcessFinder
from tests.fakes.host import FakeProcessTable, member

SERVER = ("127.0.0.1", 7717)
ROWS = [
    OwnedConnection(pid=10, local=("127.0.0.1", 50001), remote=SERVER),
    OwnedConnection(pid=20, local=("127.0.0.1", 50002), remote=SERVER),
    OwnedConnection(pid=20, local=SERVER, remote=("127.0.0.1", 50001)),  # the other end of claude's
]


def table() -> FakeProcessTable:
    members = {10: member(10, "claude", parent=20, started=3.0), 20: member(20, "Chrome", started=2.0)}
    return FakeProcessTable(rows=ROWS, members=members, users={10: "ann"})


def name_of(client: Endpoint) -> str:
    found = DarwinProcessFinder(table()).find(client, SERVER)
    return found.name if found is not None else ""


def test_the_clients_end_decides() -> None:
    assert name_of(("127.0.0.1", 50001)) == "claude"
    assert name_of(("::ffff:127.0.0.1", 50002)) == "Chrome"


def test_the_program_comes_with_its_user_and_who_started_it() -> None:
    found = DarwinProcessFinder(table()).find(("127.0.0.1", 50001), SERVER)
    assert found is not None
    assert (found.user, found.parents) == ("ann", ("Chrome",))


def test_a_process_seen_lately_is_asked_first() -> None:
    asked = table()
    finder = DarwinProcessFinder(asked)
    finder.find(("127.0.0.1", 50001), SERVER)
    asked.asked.clear()
    finder.find(("127.0.0.1", 50001), SERVER)
    assert asked.asked == [10]


def test_an_unknown_connection_or_address_has_no_process() -> None:
    assert name_of(("127.0.0.1", 50003)) == ""
    assert name_of(("localhost", 50001)) == ""

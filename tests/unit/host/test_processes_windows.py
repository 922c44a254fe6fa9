"""Windows: the table of connections says who owns one."""

from __future__ import annotations

from agent.host.processes import Endpoint
from agent.host.processes_windows import WindowsProcessFinder
from tests.fakes.host import FakeProcessTable, member

SERVER = ("127.0.0.1", 7717)
TABLE = FakeProcessTable(
    members={
        4: member(4, "drawbridge"),
        10: member(10, "claude", parent=20, started=3.0),
        20: member(20, "Code", started=2.0),
    },
    users={10: "DESK\\ann"},
)


def owner(near: Endpoint, far: Endpoint) -> int | None:
    assert far == SERVER
    return {50001: 10, 50002: 11}.get(near[1])


FINDER = WindowsProcessFinder(TABLE, owner)


def test_the_owner_of_the_clients_end_is_the_program() -> None:
    found = FINDER.find(("127.0.0.1", 50001), SERVER)
    assert found is not None
    assert (found.pid, found.name, found.user, found.parents) == (10, "claude", "DESK\\ann", ("Code",))


def test_an_unknown_connection_address_or_process_gives_none() -> None:
    for client in (("127.0.0.1", 50003), ("localhost", 50001), ("127.0.0.1", 50002)):
        assert FINDER.find(client, SERVER) is None

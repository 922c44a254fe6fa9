"""psutil's rows become ours, on whatever platform this runs."""

from __future__ import annotations

import os
import socket

from agent.host.process_table import OwnedConnection, PsutilTable

GONE = 2**22 + 1  # above every pid


def test_a_connection_of_this_process_is_listed_with_both_ends() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        wanted = OwnedConnection(pid=os.getpid(), local=client.getsockname(), remote=server.getsockname())
        table = PsutilTable()
        assert wanted in list(table.connections_of(os.getpid()))
        assert wanted in list(table.connections())


def test_this_process_is_known_with_its_owner() -> None:
    table = PsutilTable()
    found = table.member(os.getpid())
    assert os.getpid() in table.pids()
    assert found is not None
    assert (found.pid, found.birth.parent) == (os.getpid(), os.getppid())
    assert "python" in found.program.executable
    assert table.birth(os.getpid()) is not None
    assert table.user(os.getpid())


def test_a_process_that_is_gone_is_none() -> None:
    table = PsutilTable()
    assert table.member(GONE) is None
    assert table.birth(GONE) is None
    assert table.user(GONE) == ""
    assert list(table.connections_of(GONE)) == []

"""A real connection of a real child process is traced back to it."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.host.lineage_linux import ProcReader
from agent.host.processes_linux import LinuxProcessFinder

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks the Linux kernel")

CLIENT = "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); sys.stdin.read()"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@contextmanager
def client_of(
    server: socket.socket, script: Path, address: str = ""
) -> Iterator[tuple[int, tuple[str, int]]]:
    """A child that connects and waits: its pid and its own end of the connection."""
    host, port = server.getsockname()[:2]
    command = [sys.executable, "-S", str(script), address or host, str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        connection, end = server.accept()
        with connection:
            yield child.pid, end[:2]
        assert child.stdin is not None
        child.stdin.close()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    script = tmp_path / "claude"
    script.write_text(CLIENT)
    return script


def test_the_child_that_connected_is_found(server: socket.socket, script: Path) -> None:
    finder = LinuxProcessFinder()
    with client_of(server, script) as (pid, end):
        found = finder.find(end, server.getsockname())
    assert found is not None
    assert (found.pid, found.name) == (pid, "claude")
    assert found.executable == os.path.realpath(sys.executable)
    assert found.user == getpass.getuser()


def test_of_two_connections_each_has_its_own_process(server: socket.socket, script: Path) -> None:
    finder = LinuxProcessFinder()
    with client_of(server, script) as (first, first_end), client_of(server, script) as (second, second_end):
        for pid, end in ((second, second_end), (first, first_end), (second, second_end)):
            found = finder.find(end, server.getsockname())
            assert found is not None
            assert found.pid == pid


def test_a_process_seen_lately_is_tried_before_all_others(server: socket.socket, script: Path) -> None:
    class Listed(type(Path())):  # type: ignore[misc]  # /proc that notes when it is listed
        listings = 0

        def iterdir(self) -> Iterator[Path]:
            Listed.listings += 1
            return super().iterdir()

    finder = LinuxProcessFinder(Listed("/proc"))
    with client_of(server, script) as (pid, end):
        finder.find(end, server.getsockname())
        found = finder.find(end, server.getsockname())
    assert Listed.listings == 1
    assert found is not None
    assert found.pid == pid


def test_many_connections_of_one_process_are_not_each_sought_among_all_its_files(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = [], []
    for _ in range(60):
        ours.append(socket.create_connection(server.getsockname()))
        theirs.append(server.accept()[0])
    finder = LinuxProcessFinder()
    assert finder.find(ours[0].getsockname(), server.getsockname()) is not None
    read: list[str] = []
    plainly = os.readlink

    def readlink(path: str) -> str:
        read.append(path)
        return plainly(path)

    monkeypatch.setattr(os, "readlink", readlink)
    try:
        for each in ours[1:]:
            found = finder.find(each.getsockname(), server.getsockname())
            assert found is not None
            assert found.pid == os.getpid()
    finally:
        for each in (*ours, *theirs):
            each.close()
    assert len([path for path in read if "/fd/" in path]) <= 2 * len(ours)


def test_an_ipv4_connection_through_an_ipv6_socket_is_found(server: socket.socket, script: Path) -> None:
    with client_of(server, script, "::ffff:127.0.0.1") as (pid, end):
        found = LinuxProcessFinder().find((f"::ffff:{end[0]}", end[1]), server.getsockname())
    assert found is not None
    assert found.pid == pid


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_connection_is_found(script: Path) -> None:
    try:
        listening = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with listening as server:
        server.settimeout(20)
        with client_of(server, script) as (pid, end):
            found = LinuxProcessFinder().find(end, server.getsockname()[:2])
    assert found is not None
    assert found.pid == pid


def test_a_program_that_was_replaced_while_it_runs_keeps_its_name(
    server: socket.socket, tmp_path: Path
) -> None:
    program = tmp_path / "crush"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    with subprocess.Popen([program, "20"]) as child:
        try:
            while Path(f"/proc/{child.pid}/exe").resolve() != program:
                pass
            program.unlink()
            described = ProcReader().member(child.pid)
        finally:
            child.kill()
    assert described is not None
    assert (described.program.name, described.program.executable) == ("crush", str(program))
    assert not described.genuine, "another file may lie there by now"


def test_a_closed_connection_has_no_process(server: socket.socket, script: Path) -> None:
    with client_of(server, script) as (_, end):
        pass
    assert LinuxProcessFinder().find(end, server.getsockname()) is None


@pytest.mark.parametrize(
    ("client", "near"),
    [
        (("127.0.0.1", 1), ("127.0.0.1", 1)),
        (("localhost", 1), ("127.0.0.1", 1)),
        (("127.0.0.1", 99999), ("127.0.0.1", 1)),
        (("::1", 1), ("127.0.0.1", 1)),
        (("", 0), ("", 0)),
    ],
)
def test_what_is_no_connection_has_no_process(client: tuple[str, int], near: tuple[str, int]) -> None:
    assert LinuxProcessFinder().find(client, near) is None


def test_a_system_that_hides_its_processes_gives_none(
    server: socket.socket, script: Path, tmp_path: Path
) -> None:
    with client_of(server, script) as (_, end):
        assert LinuxProcessFinder(tmp_path / "empty").find(end, server.getsockname()) is None

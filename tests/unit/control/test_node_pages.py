"""A central node tells commands what it has: its standing and its traffic."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent.control.client import Control, NotRunningError
from agent.control.node_pages import ask_node, worker_folders
from agent.errors import HostError
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, StateLock, control_token, write_runfile
from agent.host.settings import Settings


@contextmanager
def running(
    paths: StatePaths, *, proxy_port: int = 0, status: int = 200, body: bytes = b""
) -> Iterator[list[str]]:
    """A node that answers so; yields what it was asked for, by whom."""
    asked: list[str] = []

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['authorization']}")
            told = body or json.dumps({"path": self.path}).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    paths.prepare()
    with HTTPServer(("127.0.0.1", 0), Pages) as server, StateLock(paths):
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        runfile = RunFile(
            pid=os.getpid(),
            proxy_port=proxy_port,
            gateway_port=server.server_port,
            started_at=1.0,
            state_dir=str(paths.root),
            ca_path="",
            version="1",
        )
        write_runfile(paths, runfile)
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def paths(tmp_path: Path) -> StatePaths:
    return StatePaths.under(tmp_path / "state")


def control(paths: StatePaths, *, nodes: bool) -> Control:
    return Control(Settings(state_dir=paths.root), nodes=nodes)


def test_its_pages_stand_for_verbs(paths: StatePaths) -> None:
    with running(paths) as asked:
        token = control_token(paths)
        ask = control(paths, nodes=True).ask
        assert ask("status") == {"path": "/-/status"}
        assert ask("live", {"since": 3, "limit": None}) == {"path": "/-/exchanges?since=3"}
    assert asked == [f"/-/status Bearer {token}", f"/-/exchanges?since=3 Bearer {token}"]


def test_a_worker_is_asked_with_the_nodes_token(paths: StatePaths) -> None:
    paths.prepare()
    token = control_token(paths)
    worker = StatePaths.under(paths.root / "workers" / "0")
    with running(worker) as asked:
        assert ask_node(worker, "status", {}) is not None
        with pytest.raises(NotRunningError) as told:
            control(paths, nodes=True).ask("status")
        assert str(worker.root) in told.value.hint()
    assert asked == [f"/-/status Bearer {token}"]
    assert not worker.control_token.exists()
    assert worker_folders(paths) == ()


@pytest.mark.parametrize("verb", ["health", "events"])
def test_it_knows_no_other_verb(paths: StatePaths, verb: str) -> None:
    with running(paths) as asked, pytest.raises(NotRunningError):
        control(paths, nodes=True).ask(verb)
    assert asked == []


def test_who_needs_an_agent_is_not_answered_by_a_node(paths: StatePaths) -> None:
    with running(paths) as asked, pytest.raises(NotRunningError):
        control(paths, nodes=False).ask("status")
    assert asked == []


def test_an_agent_is_no_node(paths: StatePaths) -> None:
    with running(paths, proxy_port=7717) as asked:
        assert ask_node(paths, "status", {}) is None
    assert asked == []


def test_where_none_runs_nothing_is_asked(paths: StatePaths) -> None:
    assert ask_node(paths, "status", {}) is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [({"status": 401}, "refuses to tell its status"), ({"body": b"no json"}, "does not answer")],
)
def test_what_it_does_not_tell_is_an_error(
    paths: StatePaths, answer: Mapping[str, object], words: str
) -> None:
    with running(paths, **answer), pytest.raises(HostError, match=words):  # type: ignore[arg-type]
        ask_node(paths, "status", {})

"""A running agent as commands find it: the lock is held, the run file points to a page on loopback."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import MappingProxyType

from agent.gateway.local import STATUS_PATH
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, StateLock, control_token, write_runfile

FACTS = {"version": "9", "started_at": 0, "policy": {"id": "small", "mode": "enforce"}, "state_dir": "/[x]"}


@contextmanager
def running_agent(paths: StatePaths, *, gateway_port: int = 0) -> Iterator[RunFile]:
    """Hold the lock of a state directory and say that the agent is this process."""
    paths.prepare()
    with StateLock(paths):
        runfile = RunFile(
            pid=os.getpid(),
            proxy_port=1,
            gateway_port=gateway_port,
            started_at=0.0,
            state_dir=str(paths.root),
            ca_path=str(paths.root_certificate),
            version="9",
        )
        write_runfile(paths, runfile)
        yield runfile


@contextmanager
def status_page(
    paths: StatePaths, pages: Mapping[str, Callable[[str], object]] = MappingProxyType({})
) -> Iterator[int]:
    """The agent's status page and others by their path, for those who know the token; its port. What makes a page gets
    the query."""
    paths.prepare()
    wanted = f"Bearer {control_token(paths)}"

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            made = {STATUS_PATH: lambda _: FACTS, **pages}.get(path)
            known = made is not None and self.headers["authorization"] == wanted
            body = json.dumps(made(query) if made else None).encode()
            self.send_response(200 if known else 401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()

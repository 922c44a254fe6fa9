"""A running agent as commands find it: the lock is held, the run file is there, and a control API answers."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import MappingProxyType
from typing import Any

from agent.control.api import ControlApi
from agent.control.caller import Caller
from agent.control.client import Control
from agent.control.http import LocalServer
from agent.host.control_place import control_socket, listen_unix
from agent.host.paths import StatePaths
from agent.host.peers import Operators
from agent.host.runfile import RunFile, StateLock, control_token, write_runfile
from agent.host.settings import Settings
from agent.host.tasks import TaskGroup
from agent.model.record import IncidentKind

FACTS = {
    "running": True,
    "state": "guarding",
    "health": [],
    "pause": None,
    "version": "9",
    "started_at": 0,
    "policy": {"id": "small", "mode": "enforce"},
    "state_dir": "/[x]",
}

type Told = Callable[[Any], object]
"""What a verb answers, given its arguments."""


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
def answering_agent(paths: StatePaths, told: Mapping[str, Told] = MappingProxyType({})) -> Iterator[None]:
    """The control API of an agent on that state directory: `status` says FACTS, other verbs what is `told`."""
    answers: dict[str, Told] = {"status": lambda _: FACTS, **told}

    async def note(kind: IncidentKind, message: str, detail: tuple[tuple[str, str], ...]) -> None:
        del kind, message, detail

    def handler(name: str) -> Callable[[Caller, Any], Any]:
        async def handle(caller: Caller, wish: Any) -> object:
            del caller
            return answers[name](wish)

        return handle

    async def serve(started: threading.Event, ended: asyncio.Event) -> None:
        tasks = TaskGroup("control")
        api = ControlApi({name: handler(name) for name in answers}, Operators(), note)
        server = LocalServer(api, tasks)
        place = control_socket(paths)
        assert place is not None
        await server.serve(listen_unix(place, everybody=False))
        started.set()
        await ended.wait()
        server.close()
        await tasks.cancel()

    with running_agent(paths):
        started = threading.Event()
        loop = asyncio.new_event_loop()
        ended = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(serve(started, ended)))
        thread.start()
        try:
            assert started.wait(5)
            yield
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join()
            loop.close()


@contextmanager
def worker_pages(paths: StatePaths, pages: Mapping[str, Callable[[str], object]]) -> Iterator[int]:
    """Pages of a worker's loopback listener by their path, for those who know the token; its port. What makes a page
    gets the query."""
    paths.prepare()
    wanted = f"Bearer {control_token(paths)}"

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            made = pages.get(path)
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


def control_of(paths: StatePaths) -> Control:
    """How commands ask the agent of that state directory."""
    return Control(Settings(state_dir=paths.root))

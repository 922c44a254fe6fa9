"""The running agent as commands ask it. Blocks.

Finds the socket, or on Windows the pipe, of the agent of a state directory; where nobody chose one, that of the
machine's agent, too. Commands that can do with less ask a central node as well: `agent.control.node_pages`.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from agent.control.api import HOST, PREFIX
from agent.control.node_pages import ask_node, worker_folders
from agent.control.verbs import VERBS
from agent.errors import ConfigError, HostError
from agent.host.control_place import control_socket, machine_socket, reachable
from agent.host.paths import StatePaths
from agent.host.pipes import MACHINE_PIPE, Pipes, PipeSocket, control_pipe, system_pipes
from agent.host.settings import Settings, Source

_SECONDS = 10.0
_LIMIT = 16 * 1024 * 1024  # bytes of an answer
_METHODS = {verb.name: verb.method for verb in VERBS}


class NotRunningError(HostError):
    """No agent answers there."""


class Control:
    """Asks the agent of these settings."""

    def __init__(self, settings: Settings, *, pipes: Pipes | None = None, nodes: bool = False) -> None:
        """`pipes`: where the agent is asked instead of by a unix socket; on Windows always. `nodes`: a central node
        will do, which says less."""
        self._nodes = nodes
        self.paths = StatePaths.under(settings.state_dir)
        origin = settings.origins.get("state_dir")
        anywhere = origin is not None and origin.source is Source.DEFAULT
        found = pipes or system_pipes()
        self._ways: list[Callable[[], _LocalConnection]] = []
        if found is not None:
            names = [control_pipe(self.paths), *([MACHINE_PIPE] if anywhere else [])]
            self._ways = [partial(_PipeConnection, found, name) for name in dict.fromkeys(names)]
        else:
            places = [control_socket(self.paths), machine_socket() if anywhere else None]
            self._ways = [partial(_UnixConnection, place) for place in dict.fromkeys(places) if place]

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """What a verb answers. Raises NotRunningError, ConfigError where the agent refuses, HostError where it does not
        answer."""
        given = {name: value for name, value in (arguments or {}).items() if value is not None}
        for way in self._ways:
            connection = way()
            try:
                return self._exchange(verb, given, connection)
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                continue
            except PermissionError as error:
                raise HostError(
                    f"this account may not ask the agent at {connection.place}", hint="Ask as its owner."
                ) from error
        if self._nodes and (told := ask_node(self.paths, verb, given)) is not None:
            return told
        raise self._not_running()

    def _exchange(
        self,
        verb: str,
        arguments: Mapping[str, object],
        connection: HTTPConnection,
    ) -> dict[str, Any]:
        """One request. Raises OSError where nobody can be connected to."""
        target, body, fields = PREFIX + verb, None, {"host": HOST}
        if _METHODS[verb] == "POST":
            body = json.dumps(arguments)
            fields["content-type"] = "application/json"
        elif arguments:
            target += "?" + urlencode({name: str(value) for name, value in arguments.items()})
        connection.connect()
        try:
            connection.request(_METHODS[verb], target, body, fields)
            answer = connection.getresponse()
            found: dict[str, Any] = json.loads(answer.read(_LIMIT))
        except (OSError, HTTPException, ValueError) as error:
            raise HostError(
                f"the agent does not answer: {type(error).__name__}", hint="See its log, or restart it."
            ) from error
        finally:
            connection.close()
        if answer.status >= 400:
            told = found.get("error", {})
            raise ConfigError(str(told.get("message", answer.status)), hint=str(told.get("hint", "")))
        return found

    def _not_running(self) -> NotRunningError:
        hint = "Start it: drawbridge up"
        if self._nodes and (workers := worker_folders(self.paths)):
            hint = f"A node's workers are asked one by one: --state-dir {workers[0]}"
        return NotRunningError(f"Drawbridge is not running on {self.paths.root}", hint=hint)


class _LocalConnection(HTTPConnection):
    """HTTP to a place of this machine."""

    def __init__(self, place: object) -> None:
        super().__init__(HOST, timeout=_SECONDS)
        self.place = place


class _PipeConnection(_LocalConnection):
    """Over a named pipe."""

    def __init__(self, pipes: Pipes, name: str) -> None:
        super().__init__(name)
        self._pipes = pipes

    def connect(self) -> None:
        """Raises OSError, HostError."""
        self.sock = PipeSocket(self._pipes, str(self.place), _SECONDS)


class _UnixConnection(_LocalConnection):
    """Over a unix socket."""

    def connect(self) -> None:
        """Raises OSError."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(_SECONDS)
            with reachable(Path(str(self.place))) as name:
                sock.connect(name)
        except BaseException:
            sock.close()
            raise
        self.sock = sock

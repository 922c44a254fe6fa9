"""The running agent as commands ask it. Blocks.

Finds the socket of the agent of a state directory; where nobody chose one, that of the machine's agent, too.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from agent.control.api import HOST, PREFIX
from agent.control.verbs import VERBS
from agent.errors import ConfigError, HostError
from agent.host.control_place import control_socket, machine_socket, reachable
from agent.host.paths import StatePaths
from agent.host.runfile import control_token, read_runfile
from agent.host.settings import Settings, Source

_SECONDS = 10.0
_LIMIT = 16 * 1024 * 1024  # bytes of an answer
_METHODS = {verb.name: verb.method for verb in VERBS}


class NotRunningError(HostError):
    """No agent answers there."""


class Control:
    """Asks the agent of these settings."""

    def __init__(self, settings: Settings) -> None:
        self.paths = StatePaths.under(settings.state_dir)
        places = [control_socket(self.paths)]
        origin = settings.origins.get("state_dir")
        if origin is not None and origin.source is Source.DEFAULT:
            places.append(machine_socket())
        self._places = [each for each in dict.fromkeys(places) if each is not None]

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        """What a verb answers. Raises NotRunningError, ConfigError where the agent refuses, HostError where it does not
        answer."""
        given = {name: value for name, value in (arguments or {}).items() if value is not None}
        if not self._places:
            return self._exchange(verb, given, *self._loopback())
        for place in self._places:
            try:
                return self._exchange(verb, given, _UnixConnection(place), {})
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                continue
            except PermissionError as error:
                raise HostError(
                    f"this account may not ask the agent at {place}", hint="Ask as its owner."
                ) from error
        raise self._not_running()

    def _exchange(
        self,
        verb: str,
        arguments: Mapping[str, object],
        connection: HTTPConnection,
        shown: Mapping[str, str],
    ) -> dict[str, Any]:
        """One request. Raises OSError where nobody can be connected to."""
        target, body, fields = PREFIX + verb, None, {"host": HOST, **shown}
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

    def _loopback(self) -> tuple[HTTPConnection, dict[str, str]]:
        running = read_runfile(self.paths)
        if running is None or not running.control_port:
            raise self._not_running()
        shown = {"authorization": f"Bearer {control_token(self.paths)}"}
        return HTTPConnection("127.0.0.1", running.control_port, timeout=_SECONDS), shown

    def _not_running(self) -> NotRunningError:
        return NotRunningError(
            f"Drawbridge is not running on {self.paths.root}", hint="Start it: drawbridge up"
        )


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, place: Path) -> None:
        super().__init__(HOST, timeout=_SECONDS)
        self._place = place

    def connect(self) -> None:
        """Raises OSError."""
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(_SECONDS)
            with reachable(self._place) as name:
                sock.connect(name)
        except BaseException:
            sock.close()
            raise
        self.sock = sock

"""`drawbridge service`: the supervisor as a Windows service.

The service control manager waits thirty seconds for a service to say that it runs, and a cold disk may take them all:
so it is told before anything large is imported. pywin32 speaks to it; nothing here is imported elsewhere.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from agent.errors import HostError

NAME = "drawbridge"
_STOP_SECONDS = 45  # that a stop may take: an engine's orderly end, and a margin
_LOG_BYTES, _LOG_FILES = 5 * 1024 * 1024, 4
_RESTARTS = (
    2,
    10,
    60,
)  # seconds after which the manager starts a service again that died: first, second, later
_FORGIVEN = 24 * 3600  # seconds after which deaths are forgotten

type Stop = Callable[[], None]
type Supervise = Callable[[Callable[[Stop], None]], int]
"""Runs until it is stopped; gives its caller what stops it, callable from any thread. The exit code."""


class State(IntEnum):
    """What a service says of itself (winsvc.h)."""

    STOPPED = 1
    START_PENDING = 2
    STOP_PENDING = 3
    RUNNING = 4


class Manager(Protocol):
    """The service control manager, as a running service sees it."""

    def report(self, state: State, *, wait: float = 0.0, code: int = 0) -> None:
        """Tell the state; `wait`: how many seconds a pending one may last; `code`: why it has stopped, 0 in order."""
        ...

    def keep_alive(self) -> None:
        """Have the service started again where it dies, and a little after the boot rather than in the midst of it."""
        ...


class Service:
    """One run of the service. `run` is called by the manager's thread, `stop` by another."""

    def __init__(self, manager: Manager, supervise: Supervise) -> None:
        self._manager = manager
        self._supervise = supervise
        self._guard = threading.Lock()
        self._stop: Stop | None = None
        self._stopping = False

    def run(self) -> int:
        """Supervise until stopped; the exit code."""
        self._manager.report(State.RUNNING)
        code = 1
        try:
            with suppress(HostError):  # it runs all the same
                self._manager.keep_alive()
            code = self._supervise(self._stoppable)
        finally:
            self._manager.report(State.STOPPED, code=code)
        return code

    def stop(self) -> None:
        """Begin an orderly stop; `run` returns after it. A stop that comes before there is anything to stop counts."""
        self._manager.report(State.STOP_PENDING, wait=_STOP_SECONDS)
        with self._guard:
            self._stopping = True
            if self._stop is not None:
                self._stop()

    def _stoppable(self, stop: Stop) -> None:
        with self._guard:
            self._stop = stop
            if self._stopping:
                stop()


def main() -> int:
    """What the manager starts; the exit code."""
    try:
        servicemanager = import_module("servicemanager")  # of pywin32, on Windows only
    except ImportError:
        sys.stderr.write("error: only Windows has such services\nhint:  Run drawbridge supervise.\n")
        return 1
    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(_framework())
    servicemanager.StartServiceCtrlDispatcher()
    return 0


def write_log(directory: Path) -> None:
    """A service has no terminal: what the supervisor tells goes to a file, and old ones go."""
    directory.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        directory / "service.log", maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _supervise(stoppable: Callable[[Stop], None]) -> int:
    from agent.host.paths import state_directory
    from agent.supervisor.command import main as supervise  # late: the manager has heard from us by now

    write_log(state_directory() / "logs")
    return supervise((), stoppable=stoppable)


def _framework() -> Any:  # a class of pywin32's kind
    win32service, base = import_module("win32service"), import_module("win32serviceutil").ServiceFramework

    class Framework(base):  # type: ignore[misc,valid-type]  # known on Windows only
        """What pywin32 makes an object of."""

        _svc_name_ = NAME
        _svc_display_name_ = "Drawbridge"

        def __init__(self, arguments: Any) -> None:
            super().__init__(arguments)
            self._service = Service(PyWin32(self, win32service), _supervise)

        def SvcRun(self) -> None:  # noqa: N802  pywin32's name; its own would say RUNNING at the end of its work
            self._service.run()

        def SvcStop(self) -> None:  # noqa: N802
            self._service.stop()

        SvcShutdown = SvcStop

    return Framework


class PyWin32:
    """A `Manager` on pywin32. `framework` is the running service, `api` the module win32service."""

    def __init__(self, framework: Any, api: Any) -> None:
        self._framework = framework
        self._api = api

    def report(self, state: State, *, wait: float = 0.0, code: int = 0) -> None:
        """See `Manager`."""
        # 1066, ERROR_SERVICE_SPECIFIC_ERROR: the other number is ours
        self._framework.ReportServiceStatus(
            int(state), waitHint=int(wait * 1000), win32ExitCode=1066 if code else 0, svcExitCode=code
        )

    def keep_alive(self) -> None:
        """See `Manager`. Raises HostError."""
        api = self._api
        try:
            manager = api.OpenSCManager(None, None, api.SC_MANAGER_CONNECT)
            try:
                service = api.OpenService(
                    manager, NAME, api.SERVICE_CHANGE_CONFIG | api.SERVICE_START | api.SERVICE_QUERY_STATUS
                )
                try:
                    self._configure(service)
                finally:
                    api.CloseServiceHandle(service)
            finally:
                api.CloseServiceHandle(manager)
        except api.error as error:
            raise HostError("cannot have the service restarted after a crash") from error

    def _configure(self, service: Any) -> None:
        api = self._api
        api.ChangeServiceConfig2(
            service,
            api.SERVICE_CONFIG_FAILURE_ACTIONS,
            {
                "ResetPeriod": _FORGIVEN,
                "RebootMsg": None,
                "Command": None,
                "Actions": [(api.SC_ACTION_RESTART, seconds * 1000) for seconds in _RESTARTS],
            },
        )
        for flag in (api.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, api.SERVICE_CONFIG_DELAYED_AUTO_START_INFO):
            api.ChangeServiceConfig2(service, flag, True)  # noqa: FBT003  pywin32's own signature

"""The Windows service over a manager that writes down what it is told."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.errors import HostError
from agent.supervisor.service_windows import PyWin32, Service, State, write_log


class Manager:
    """Hears."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.states: list[tuple[State, int]] = []
        self.kept = 0
        self._refuses = refuses

    def report(self, state: State, *, wait: float = 0.0, code: int = 0) -> None:
        assert (wait > 0) == (state is State.STOP_PENDING)
        self.states.append((state, code))

    def keep_alive(self) -> None:
        if self._refuses:
            raise HostError("not today")
        self.kept += 1


def test_it_runs_before_anything_is_done_and_has_stopped_after_all() -> None:
    manager = Manager()

    def supervise(_: Callable[..., None]) -> int:
        assert manager.states == [(State.RUNNING, 0)]
        return 0

    assert Service(manager, supervise).run() == 0
    assert manager.states == [(State.RUNNING, 0), (State.STOPPED, 0)]
    assert manager.kept == 1


def test_what_goes_wrong_reaches_the_manager() -> None:
    for outcome in (lambda _: 1, lambda _: 1 // 0):
        manager = Manager(refuses=True)
        with suppress(ZeroDivisionError):
            assert Service(manager, outcome).run() == 1
        assert manager.states[-1] == (State.STOPPED, 1)


@pytest.mark.parametrize("early", [True, False])
def test_a_stop_reaches_the_supervisor_whenever_it_comes(early: bool) -> None:
    manager = Manager()
    stopped, ready = threading.Event(), threading.Event()

    def supervise(stoppable: Callable[..., None]) -> int:
        if early:
            service.stop()
        stoppable(stopped.set)
        ready.set()
        return 0 if stopped.wait(5) else 1

    service = Service(manager, supervise)
    running = threading.Thread(target=service.run)
    running.start()
    assert ready.wait(5)
    if not early:
        service.stop()
    running.join(5)
    assert manager.states == [(State.RUNNING, 0), (State.STOP_PENDING, 0), (State.STOPPED, 0)]


class Api:
    """As much of win32service as is used."""

    error = type("error", (Exception,), {})

    def __init__(self, *, refuses: bool = False) -> None:
        self.done: list[tuple[str, tuple[Any, ...]]] = []
        self._refuses = refuses

    def __getattr__(self, name: str) -> Any:
        if name.isupper() or "_" in name:
            return 1 << (len(name) % 8)
        if name == "OpenService" and self._refuses:
            raise self.error("access denied")

        def note(*arguments: Any) -> str:
            self.done.append((name, arguments))
            return name

        return note


def test_the_manager_is_asked_to_start_it_again() -> None:
    api = Api()
    PyWin32(SimpleNamespace(), api).keep_alive()
    changes = [arguments for name, arguments in api.done if name == "ChangeServiceConfig2"]
    assert len(changes) == 3
    assert [delay for _, delay in changes[0][2]["Actions"]] == [2000, 10000, 60000]
    assert [name for name, _ in api.done][-2:] == ["CloseServiceHandle"] * 2


def test_a_manager_that_refuses_is_an_error_of_ours() -> None:
    with pytest.raises(HostError, match="restarted after a crash"):
        PyWin32(SimpleNamespace(), Api(refuses=True)).keep_alive()


def test_a_failure_has_a_number_of_our_own() -> None:
    told: list[dict[str, int]] = []
    framework = SimpleNamespace(
        ReportServiceStatus=lambda state, **more: told.append({"state": state, **more})
    )
    PyWin32(framework, Api()).report(State.STOPPED, code=3)
    assert told == [{"state": 1, "waitHint": 0, "win32ExitCode": 1066, "svcExitCode": 3}]


def test_what_the_supervisor_tells_is_kept(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    try:
        write_log(tmp_path / "logs")
        logging.getLogger("agent.supervisor").info("listening")
        assert "listening" in (tmp_path / "logs" / "service.log").read_text()
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = before
        root.setLevel(level)


@pytest.mark.skipif(sys.platform == "win32", reason="there it is the service manager's to start")
def test_elsewhere_the_command_says_what_to_run_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "agent", "service"], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 1
    assert "drawbridge supervise" in done.stderr

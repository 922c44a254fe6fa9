"""What the service manager hears."""

from __future__ import annotations

import socket
from pathlib import Path

from agent.supervisor.notify import Notifier


def test_assignments_reach_the_managers_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        environ = {
            "NOTIFY_SOCKET": str(tmp_path / "notify"),
            "WATCHDOG_USEC": "30000000",
            "WATCHDOG_PID": "1",
        }
        notifier = Notifier(environ)
        notifier.say(ready="1", status="guarding")
        assert manager.recv(100) == b"READY=1\nSTATUS=guarding"
    assert notifier.watchdog == 30.0
    assert environ == {}
    notifier.say(watchdog="1")  # nobody listens any more


def test_without_a_manager_nothing_happens() -> None:
    notifier = Notifier({})
    notifier.say(ready="1")
    assert notifier.watchdog == 0.0

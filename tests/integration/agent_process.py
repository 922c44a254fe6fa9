"""The agent as a user runs it: a child process on a state directory of its own, ended by its pid in every case.

Nothing of the surrounding environment reaches it but what finds programs. Its log is kept at level debug, so that what
it might say can be read afterwards.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from agent.audit import EventRow, Trail
from agent.control.client import Control
from agent.host.paths import StatePaths
from agent.host.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 20.0  # more than the agent's own limit for running exchanges

_INHERITED = ("PATH", "LANG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")


class AgentProcess:
    """One agent. `upstreams` says on which loopback port the hosts' HTTPS is found; `directory` exists and is its own.

    `with` starts it, and stops it by SIGTERM: an exit status other than 0, or a crash in its log, is an error.
    """

    def __init__(
        self,
        directory: Path,
        *,
        upstreams: Mapping[str, int],
        ca_file: Path | None,
        policy: Path | None = None,
        environ: Mapping[str, str] | None = None,
        proxy_port: int = 0,
        gateway_port: int = 0,
        supervise: tuple[str, ...] | None = None,
    ) -> None:
        """`supervise` are options of `drawbridge supervise`, which runs then instead of `drawbridge up`."""
        self.directory = directory
        self.paths = StatePaths.under(directory / "state")
        self.keylog = directory / "tls-keys.log"
        self.proxy_port = proxy_port
        self.gateway_port = gateway_port
        self._log = directory / "agent.log"
        self._ready = directory / "ready.json"
        self._policy = policy
        self._command = ("up",) if supervise is None else ("supervise", *supervise)
        home = directory / "home"
        home.mkdir(exist_ok=True)
        self._environ = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self._environ |= {
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "DRAWBRIDGE_LOG_LEVEL": "debug",
            "DRAWBRIDGE_DASHBOARD_PORT": "0",
            "SSLKEYLOGFILE": str(self.keylog),  # it must not be obeyed
        }
        if ca_file is not None:
            self._environ["DRAWBRIDGE_UPSTREAM_CA_FILE"] = str(ca_file)
        if upstreams:
            self._environ["DRAWBRIDGE_RESOLVE"] = ",".join(
                f"{host}:443=127.0.0.1:{port}" for host, port in upstreams.items()
            )
        self._environ |= environ or {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.kill()
        elif self._process is not None:
            self.stop()

    @property
    def running(self) -> bool:
        """Whether it was started, and neither stopped nor killed."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def ca_file(self) -> Path:
        """The root certificate that the agent's clients must trust."""
        return self.paths.root_certificate

    @property
    def log(self) -> str:
        """All that the agent has written to its standard streams, over its restarts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def trail(self) -> Trail:
        """Its audit trail."""
        return Trail(self.paths)

    # Life and death.

    def start(self) -> Self:
        """Start it, and wait until it is ready."""
        process = self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the agent did not start:\n{self.log[-4000:]}")
            time.sleep(0.02)
        facts = json.loads(self._ready.read_text())
        self.proxy_port, self.gateway_port = facts["proxy_port"], facts["gateway_port"]
        return self

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "agent", *self._command, "--state-dir", str(self.paths.root)]
        command += ["--proxy-port", str(self.proxy_port), "--gateway-port", str(self.gateway_port)]
        command += ["--ready-file", str(self._ready)]
        command += ["--policy", str(self._policy)] if self._policy else []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self._environ,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return self._process

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        """SIGTERM. Raises AssertionError where it does not end in order."""
        self.signal(signal.SIGTERM)
        code = self.wait()
        assert code == 0, f"the agent ended with status {code}:\n{self.log[-4000:]}"
        assert "Traceback" not in self.log, self.log[self.log.index("Traceback") :][:6000]

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Its exit status. Kills it where it does not end in time."""
        assert self._process is not None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the agent did not end within {seconds} s:\n{self.log[-4000:]}") from None
        self._process = None
        return code

    def kill(self) -> None:
        """SIGKILL, as a crash would end it. Safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def broken(self) -> Iterator[None]:
        """No engine can start meanwhile; whoever runs goes on."""
        root = self.paths.root_certificate.read_bytes()
        self.paths.root_certificate.write_bytes(b"damaged")
        try:
            yield
        finally:
            self.paths.root_certificate.write_bytes(root)

    # What a person at the terminal does.

    def drawbridge(
        self, *arguments: str, timeout: float = 30.0, stdin: int = subprocess.DEVNULL
    ) -> subprocess.CompletedProcess[str]:
        """A command of ours, in the agent's environment; `--state-dir` stands behind its first words."""
        words = next((i for i, word in enumerate(arguments) if word.startswith("-")), len(arguments))
        command = [sys.executable, "-m", "agent", *arguments[:words], "--state-dir", str(self.paths.root)]
        return subprocess.run(
            [*command, *arguments[words:]],
            env=self._environ,
            cwd=self.directory,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def run(self, *program: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
        """`drawbridge exec -- program`."""
        return self.drawbridge("exec", "--", *program, timeout=timeout)

    def environment(self) -> dict[str, str]:
        """What `drawbridge exec` sets for the programs it starts."""
        script = "import json, os; print(json.dumps(dict(os.environ)))"
        finished = self.run(sys.executable, "-c", script)
        assert finished.returncode == 0, finished.stderr
        seen: dict[str, str] = json.loads(finished.stdout)
        return {name: value for name, value in seen.items() if self._environ.get(name) != value}

    # What can be seen from outside.

    def status(self) -> dict[str, object]:
        """What the agent says of itself."""
        return self.control("status")

    def control(self, verb: str, **arguments: object) -> dict[str, Any]:
        """What the agent answers to a verb of its control API."""
        return Control(Settings(state_dir=self.paths.root)).ask(verb, arguments)

    def wait_for_events(self, kind: str, count: int = 1, *, seconds: float = 5.0) -> tuple[EventRow, ...]:
        """Block until the trail holds `count` events of that kind; all of them, newest first."""
        found: tuple[EventRow, ...] = ()

        def enough() -> bool:
            nonlocal found
            found = self.trail.events(kind=kind, limit=1000)
            return len(found) >= count

        wait_until(enough, f"{count} audit events {kind!r}", seconds=seconds)
        return found

    def outcome(self, since: float) -> str:
        """How the first exchange that began after `since` (Unix seconds) has ended; blocks until it has."""
        found: tuple[EventRow, ...] = ()

        def recorded() -> bool:
            nonlocal found
            found = self.trail.events(kind="exchange", since=since)
            return bool(found)

        wait_until(recorded, "the exchange to be recorded")
        return found[-1].outcome

    def event_text(self, row: EventRow) -> str:
        """A whole event, as JSON text."""
        return json.dumps(self.trail.show(row.id).document, ensure_ascii=False)


def wait_until(reached: Callable[[], bool], what: str, *, seconds: float = 5.0) -> None:
    """Block until `reached`. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)

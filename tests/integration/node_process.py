"""A central node as an operator runs it: one process, or a parent with workers, on a state directory of its own."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self

import psutil

from agent.audit import Trail
from agent.central.orders import worker_paths
from tests.integration.agent_process import START_SECONDS, AgentProcess
from tests.integration.line import Answer, Line

_NOTHING: Mapping[str, str] = MappingProxyType({})


class NodeProcess(AgentProcess):
    """One node. `with` starts it, and stops it by SIGTERM."""

    def __init__(
        self,
        directory: Path,
        *,
        policy: str,
        ca_file: Path,
        workers: int = 1,
        environ: Mapping[str, str] = _NOTHING,
        options: tuple[str, ...] = (),
    ) -> None:
        """`policy` is the text of its policy file, `options` are further ones of the command."""
        (directory / "policy.yaml").write_text(policy)
        super().__init__(
            directory,
            upstreams={"nowhere.example": 9},
            ca_file=ca_file,
            policy=directory / "policy.yaml",
            environ=environ,
        )
        self.workers = workers
        self.port = 0
        self._options = options
        self._told = directory / "ready.json"

    def start(self) -> Self:
        """Start it, and wait until it is ready."""
        process = self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not self._told.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise AssertionError(f"the node did not start:\n{self.log[-4000:]}")
            time.sleep(0.02)
        self.port = json.loads(self._told.read_text())["port"]
        return self

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it without waiting."""
        self._told.unlink(missing_ok=True)
        command = [sys.executable, "-m", "agent", "gateway", "--state-dir", str(self.paths.root)]
        command += ["--listen", f"127.0.0.1:{self.port}", "--workers", str(self.workers)]
        command += ["--policy", str(self._policy), "--ready-file", str(self._told), *self._options]
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

    @property
    def token(self) -> str:
        """Its control token."""
        return self.paths.control_token.read_text().strip()

    @property
    def members(self) -> dict[int, int]:
        """The process ids of its workers by their number."""
        found = {}
        for child in psutil.Process(self.pid).children():
            try:
                words = child.cmdline()
            except (psutil.ZombieProcess, psutil.NoSuchProcess):
                continue  # it has ended, and the parent has not noticed yet
            if "--worker" in words:  # else it has not become one yet
                found[int(words[words.index("--worker") + 1])] = child.pid
        return found

    def trail_of(self, worker: int) -> Trail:
        """The audit trail of a worker."""
        return Trail(worker_paths(self.paths, worker))

    def line(self) -> Line:
        """A connection to it."""
        return Line(socket.create_connection(("127.0.0.1", self.port), 15), host=f"127.0.0.1:{self.port}")

    def ask(
        self, method: str, target: str, body: bytes | None = None, fields: Mapping[str, str] = _NOTHING
    ) -> Answer:
        """One request on a connection of its own."""
        with self.line() as line:
            return line.ask(
                method, target, body, fields=(("Content-Type", "application/json"), *fields.items())
            )

    def as_owner(self, method: str, target: str) -> Answer:
        """One request under the control token."""
        return self.ask(method, target, fields={"Authorization": f"Bearer {self.token}"})

    def is_ready(self) -> bool:
        """What a load balancer is told."""
        try:
            return self.ask("GET", "/readyz").status == 200
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL for the parent; its workers notice. Safe to call twice."""
        alive = self._process is not None and self._process.poll() is None
        children = psutil.Process(self.pid).children() if alive else []
        super().kill()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()

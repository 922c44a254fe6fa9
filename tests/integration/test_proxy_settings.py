"""The system's proxy settings under a real supervisor, in a home of their own: they lead to the agent while it serves,
and are as before, to the byte, when it is stopped, killed, or cannot run."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

from agent.errors import DrawbridgeError
from agent.host.runfile import read_runfile
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import NoTunnel, tunnel
from tests.integration.stage import Stage

SOON = 90.0  # seconds, of which a crash loop takes fifteen
KDE = b"[Other]\na=b\n\n[Proxy Settings]\nProxyType=1\nhttpsProxy=http://proxy.example 3128\nNoProxyFor=.lan"


class Desktop:
    """A user's home with KDE in it, and an agent that manages its settings."""

    def __init__(self, stage: Stage, directory: Path, **environ: str) -> None:
        self.home = directory / "home"
        self.kde = self.home / "config" / "kioslaverc"
        self.session = self.home / "config" / "environment.d" / "60-drawbridge.conf"
        self.kde.parent.mkdir(parents=True)
        self.kde.write_bytes(KDE)
        self.policy = directory / "policy.yaml"
        self.agent: AgentProcess = stage.agent(
            directory,
            policy="schema_version: 1\nid: first\n",
            supervise=("--user", "--steady", "0.2"),
            environ={
                "XDG_CONFIG_HOME": str(self.home / "config"),
                "XDG_STATE_HOME": str(self.home / "state"),
                "GSETTINGS_BACKEND": "keyfile",
                "DRAWBRIDGE_MANAGE_PROXY": "pac",
                "DRAWBRIDGE_MANAGE_ENVIRONMENT": "all",
                **environ,
            },
        )

    @property
    def leads_here(self) -> bool:
        there = f"http://127.0.0.1:{self.agent.proxy_port}/proxy.pac".encode() in self.kde.read_bytes()
        return there and self.session.exists()

    @property
    def as_before(self) -> bool:
        return self.kde.read_bytes() == KDE and not self.session.exists()

    def engine(self) -> int:
        with suppress(DrawbridgeError):
            running = read_runfile(self.agent.paths)
            return running.pid if running is not None else 0
        return 0


def test_they_lead_here_while_the_agent_serves_and_are_as_before_when_it_is_stopped(
    stage: Stage, tmp_path: Path
) -> None:
    desktop = Desktop(stage, tmp_path)
    with desktop.agent as agent:
        wait_until(lambda: desktop.leads_here, "the settings", seconds=SOON)
        connection = HTTPConnection("127.0.0.1", agent.proxy_port, timeout=10)
        connection.request("GET", "/proxy.pac")
        pac = connection.getresponse().read().decode()
        connection.close()
        assert '"https": "PROXY proxy.example:3128"' in pac  # the company's proxy, for all else
        told = agent.drawbridge("setup", "--user", "--json")
        assert told.returncode == 0, told.stderr
        assert {row["state"] for row in json.loads(told.stdout)} == {"as it should be"}
        assert '"proxy_set"' in agent.drawbridge("status", "--json").stdout
    assert desktop.as_before


def test_in_a_crash_loop_they_are_as_before_and_lead_here_again_once_it_is_mended(
    stage: Stage, tmp_path: Path
) -> None:
    desktop = Desktop(stage, tmp_path)
    with desktop.agent as agent:
        wait_until(lambda: desktop.leads_here, "the settings", seconds=SOON)
        with agent.broken():
            os.kill(desktop.engine(), signal.SIGKILL)
            wait_until(lambda: desktop.as_before, "the settings to be restored", seconds=SOON)
        agent.signal(signal.SIGHUP)
        wait_until(lambda: desktop.leads_here, "the settings again", seconds=SOON)
    assert desktop.as_before


def test_what_a_killed_supervisor_left_is_taken_back_without_one(stage: Stage, tmp_path: Path) -> None:
    desktop = Desktop(stage, tmp_path)
    agent = desktop.agent.start()
    wait_until(lambda: desktop.leads_here, "the settings", seconds=SOON)
    kept = agent.drawbridge("restore", "--user", "--if-not-running")
    assert "An agent runs" in kept.stdout
    agent.kill()
    wait_until(lambda: desktop.engine() == 0, "the engine to end", seconds=SOON)
    done = agent.drawbridge("restore", "--user", "--if-not-running", timeout=SOON)
    assert done.returncode == 0, done.stderr
    assert desktop.as_before


def test_a_company_that_has_a_pac_file_keeps_it(stage: Stage, tmp_path: Path) -> None:
    company = tmp_path / "company.pac"
    company.write_text('function FindProxyForURL(url, host) { return "PROXY pac.example:8080"; }')
    desktop = Desktop(stage, tmp_path)
    before = f"[Proxy Settings]\nProxyType=2\nProxy Config Script={company.as_uri()}\n".encode()
    desktop.kde.write_bytes(before)
    with desktop.agent as agent:
        wait_until(lambda: desktop.leads_here, "the settings", seconds=SOON)
        connection = HTTPConnection("127.0.0.1", agent.proxy_port, timeout=10)
        connection.request("GET", "/proxy.pac")
        assert "PROXY pac.example:8080" in connection.getresponse().read().decode()
        connection.close()
    assert desktop.kde.read_bytes() == before


class CompanyProxy:
    """Answers every CONNECT, and notes whom it was for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> CompanyProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                with client:
                    head = client.recv(4096).decode()
                    self.asked.append(head.split()[1])
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")


def test_the_companys_proxy_is_found_and_gone_through(stage: Stage, tmp_path: Path) -> None:
    with CompanyProxy() as company:
        desktop = Desktop(stage, tmp_path, DRAWBRIDGE_UPSTREAM_PROXY="auto")
        desktop.kde.write_text(
            f"[Proxy Settings]\nProxyType=1\nhttpsProxy=http://127.0.0.1 {company.port}\nNoProxyFor=near.example\n"
        )
        with desktop.agent as agent:
            tunnel(agent.proxy_port, "far.example").close()
            with suppress(NoTunnel):
                tunnel(agent.proxy_port, "near.example").close()  # past it, to where nobody is
    assert company.asked == ["far.example:443"]

"""The supervisor as a service manager runs it: engines killed under load, crash loops, closed hosts, replacements.

DRAWBRIDGE_KILLS says how often the engine is killed; the check before a release uses 100.
"""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil

from agent.errors import DrawbridgeError
from agent.host.runfile import read_runfile
from tests.integration.agent_process import AgentProcess, wait_until
from tests.integration.line import Line, NoTunnel, trusting, tunnel
from tests.integration.prompts import CHAT
from tests.integration.stage import Stage, dialling

KILLS = int(os.environ.get("DRAWBRIDGE_KILLS", "4"))
SOON = 30.0  # seconds; starts are slow on a busy machine, and how fast they are is measured elsewhere

CLOSED = """\
schema_version: 1
id: closed
fail: {hosts: {api.openai.com: closed}}
"""


def engine_of(agent: AgentProcess) -> int:
    """The process id of the engine that serves now; 0 where none does."""
    with suppress(DrawbridgeError):
        running = read_runfile(agent.paths)
        return running.pid if running is not None else 0
    return 0


def another(agent: AgentProcess, before: int) -> int:
    wait_until(lambda: engine_of(agent) not in (0, before), "another engine", seconds=SOON)
    return engine_of(agent)


class Load:
    """Clients that connect anew for every request, until told to stop; what they met."""

    def __init__(self, agent: AgentProcess, clients: int = 3) -> None:
        self.refused = 0
        self.served = 0
        self.failed = 0  # an answer that broke off, or an honest error
        self.met: list[str] = []
        self._agent = agent
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(SOON)
            assert not thread.is_alive()

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with Line.secured(
                    tunnel(self._agent.proxy_port, CHAT.host), trusting(self._agent.ca_file), CHAT.host
                ) as line:
                    answer = line.ask("POST", CHAT.target(), CHAT.body("hello"))
            except ConnectionRefusedError:
                self.refused += 1
            except (OSError, NoTunnel) as error:
                self.failed += 1
                self.met.append(repr(error))
            else:
                if answer.status == 200 and answer.whole:
                    self.served += 1
                else:
                    self.failed += 1
                    self.met.append(repr(answer))


def test_an_engine_killed_under_load_comes_back_and_no_connection_is_refused(
    stage: Stage, tmp_path: Path
) -> None:
    with stage.agent(tmp_path, supervise=("--steady", "0.2")) as agent:
        engine = engine_of(agent)
        with Load(agent) as load:
            for _ in range(KILLS):
                seen = load.served
                wait_until(lambda seen=seen: load.served > seen + 5, "exchanges", seconds=SOON)  # type: ignore[misc]
                os.kill(engine, signal.SIGKILL)
                engine = another(agent, engine)
            seen = load.served
            wait_until(lambda: load.served > seen + 5, "exchanges", seconds=SOON)
        assert load.refused == 0
        listed = agent.drawbridge("audit", "verify")
        assert listed.returncode == 0, listed.stdout + listed.stderr


def test_a_replacement_under_load_refuses_nobody_and_breaks_nothing(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=()) as agent:
        engine = engine_of(agent)
        supervisor = psutil.Process(engine).ppid()
        with Load(agent) as load:
            for _ in range(2):
                seen = load.served
                wait_until(lambda seen=seen: load.served > seen + 5, "exchanges", seconds=SOON)  # type: ignore[misc]
                agent.signal(signal.SIGUSR2)
                engine = another(agent, engine)
            seen = load.served
            wait_until(lambda: load.served > seen + 5, "exchanges", seconds=SOON)
        assert (load.refused, load.met) == (0, [])
        assert psutil.Process(engine).ppid() == supervisor  # another program by now, but the same process
        assert any(each.startswith("--lent=") for each in psutil.Process(supervisor).cmdline())


def test_a_policy_is_reloaded_through_the_supervisor(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, policy="schema_version: 1\nid: first\n", supervise=()) as agent:
        engine = engine_of(agent)
        (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: second\n")
        agent.signal(signal.SIGHUP)
        wait_until(lambda: "second" in str(agent.status()), "the new policy", seconds=SOON)
        assert engine_of(agent) == engine


def test_in_a_crash_loop_hosts_pass_or_are_refused_as_policy_says(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, policy=CLOSED, supervise=()) as agent:
        with agent.broken():
            os.kill(engine_of(agent), signal.SIGKILL)

            def refuses() -> bool:
                try:
                    tunnel(agent.proxy_port, "api.openai.com").close()
                except NoTunnel as refusal:
                    return refusal.status == 503 and "policy lets nothing pass" in str(refusal)
                return False

            wait_until(refuses, "the stand-in", seconds=SOON)
            with Line.secured(
                tunnel(agent.proxy_port, "api.anthropic.com"),
                trusting(stage.authority.ca_file),
                "api.anthropic.com",
            ) as line:
                assert line.ask("GET", "/v1/models").status == 200  # the provider's own certificate: unseen
            connection = HTTPConnection("127.0.0.1", agent.gateway_port, timeout=5)
            connection.request("GET", "/v1/models")
            answer = connection.getresponse()
            assert (answer.status, answer.getheader("retry-after")) == (503, "5")
            connection.close()
        agent.signal(signal.SIGHUP)  # mended, and told so
        another(agent, 0)
        wait_until(lambda: agent.trail.events(kind="bypass") != (), "the record of it", seconds=SOON)


def test_the_engine_of_a_killed_supervisor_ends_and_the_next_takes_over(stage: Stage, tmp_path: Path) -> None:
    agent = stage.agent(tmp_path, supervise=()).start()
    engine = engine_of(agent)
    agent.kill()
    wait_until(lambda: not psutil.pid_exists(engine), "the engine to end", seconds=SOON)
    with agent:
        assert engine_of(agent) != engine
        with dialling(agent) as dial:

            def guarded() -> (
                bool
            ):  # until the stand-in has heard that the engine is ready, it may take a client
                try:
                    return dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
                except ssl.SSLError:
                    return False

            wait_until(guarded, "the engine to serve", seconds=SOON)


def test_a_second_supervisor_of_one_state_directory_says_so(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=()) as agent:
        command = [sys.executable, "-m", "agent", "supervise", "--state-dir", str(agent.paths.root)]
        second = subprocess.run(
            [*command, "--proxy-port", "0", "--gateway-port", "0"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PYTHONPATH": os.environ.get("PYTHONPATH", "."),
            },
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=SOON,
            check=False,
        )
        assert second.returncode == 1
        assert "another supervisor" in second.stderr


def test_an_engine_that_hangs_is_ended(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=("--steady", "0.2", "--silence", "2")) as agent:
        engine = engine_of(agent)
        os.kill(engine, signal.SIGSTOP)
        another(agent, engine)


def test_it_is_small_and_quick(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=()) as agent:
        assert psutil.Process(agent.pid).memory_info().rss < 40 * 2**20

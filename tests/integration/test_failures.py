"""Each row of docs/failures.md, by its id: what breaks, what traffic does meanwhile, and that it ends well.

`test_<id>` shows a row here; rows that other tests show name those. A row without a test, or the reverse, is a failure.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.bench.kills import engine_of, kill_again_and_again
from tests.integration.accounted import accounted, asked
from tests.integration.agent_process import ROOT, AgentProcess, wait_until
from tests.integration.line import NoTunnel
from tests.integration.prompts import CHAT
from tests.integration.stage import Stage, dialling

KILLS = int(os.environ.get("DRAWBRIDGE_KILLS", "3"))
SOON = 30.0
OPTIONS = ("--steady", "0.2", "--silence", "3")
_ROW = re.compile(r"^\| `([a-z-]+)` \|.*\| ([^|]*) \|$", re.MULTILINE)


def rows() -> dict[str, str]:
    """The table's ids, and what each names as its test."""
    return dict(_ROW.findall((ROOT / "docs" / "failures.md").read_text()))


def serves(agent: AgentProcess) -> bool:
    """Whether a client is served, decrypted."""
    try:
        with dialling(agent) as dial:
            return dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello")).status == 200
    except (OSError, NoTunnel):
        return False


def comes_back(agent: AgentProcess) -> None:
    wait_until(lambda: serves(agent), "the agent to serve", seconds=SOON)


def test_every_row_is_tested_by_its_name() -> None:
    found = rows()
    here = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    here.discard("every-row-is-tested-by-its-name")
    elsewhere = {name for name, test in found.items() if test != "here"}
    assert found
    assert {name for name, test in found.items() if test == "here"} == here
    for name in elsewhere:
        file, _, function = found[name].strip("`").partition("::")
        assert f"def {function}(" in (ROOT / "tests" / file).read_text(), name


def test_engine_killed(stage: Stage, tmp_path: Path) -> None:
    outcome = kill_again_and_again(stage, tmp_path, KILLS)
    assert (outcome.refused, outcome.lost, outcome.chain) == (0, 0, "whole")
    assert (outcome.streams_hung, outcome.streams_false) == (0, 0)
    assert outcome.streams_cut == 2 * KILLS


def test_engine_stopped(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        engine = engine_of(agent)
        os.kill(engine, signal.SIGSTOP)
        wait_until(lambda: engine_of(agent) not in (0, engine), "another engine", seconds=SOON)
        comes_back(agent)
        assert "it was silent for" in agent.log


def test_port_taken(stage: Stage, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "agent", "up", "--state-dir", str(tmp_path / "state")]
        ended = subprocess.run(
            [*command, "--proxy-port", "0", "--gateway-port", str(port)],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=SOON,
            check=False,
        )
    assert ended.returncode == 1
    assert str(port) in ended.stderr
    assert "Traceback" not in ended.stderr


# What lies damaged on the disk when an engine starts.


def _spoiled(
    stage: Stage,
    directory: Path,
    find: Callable[[AgentProcess], Path],
    *,
    supervise: tuple[str, ...] | None = (),
) -> AgentProcess:
    """An agent that has served once, is stopped, and whose file `find` names is damaged since."""
    agent = stage.agent(directory, supervise=supervise)
    with agent:
        assert serves(agent)
    path = find(agent)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    path.write_bytes(b"\0damaged\xff" * 500)
    path.chmod(0o600)
    return agent


@pytest.mark.parametrize(
    "name",
    ["run/daemon.json", "run/standin.json", "run/control.token", "audit/audit.head", "run/settings.json"],
)
def test_small_files_damaged(stage: Stage, tmp_path: Path, name: str) -> None:
    with _spoiled(stage, tmp_path, lambda agent: agent.paths.root / name) as agent:
        assert serves(agent)


def test_appearances_damaged(stage: Stage, tmp_path: Path) -> None:
    with _spoiled(stage, tmp_path, lambda agent: agent.paths.appearances) as agent:
        assert serves(agent)
        assert "programs are not noticed" in agent.log


def test_inventory_damaged(stage: Stage, tmp_path: Path) -> None:
    with _spoiled(stage, tmp_path, lambda agent: agent.paths.inventory) as agent:
        assert serves(agent)


def test_audit_damaged(stage: Stage, tmp_path: Path) -> None:
    with _spoiled(stage, tmp_path, lambda agent: agent.paths.spool) as agent:
        assert serves(agent)
        evidence = [path for path in agent.paths.audit.iterdir() if "damaged" in path.name]
        assert evidence
        assert agent.trail.events(kind="audit.truncated")


def test_accounts_damaged(stage: Stage, tmp_path: Path) -> None:
    agent = accounted(stage, tmp_path, supervise=OPTIONS)
    with agent:
        assert asked(agent).status == 200
        assert asked(agent).status == 429
    path = agent.paths.root / "accounts" / "accounts.db"
    with path.open("r+b") as file:  # its head is whole: what it counted is not
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with agent:
        assert asked(agent).status == 200
        assert asked(agent).status == 429
        [event] = agent.trail.events(kind="accounts_lost")
        [kept] = [each for each in path.parent.iterdir() if "damaged" in each.name]
        assert kept.name in agent.event_text(event)


def policy_of(agent: AgentProcess) -> str:
    return str(agent.control("status")["policy"]["id"])


def test_policy_damaged(stage: Stage, tmp_path: Path) -> None:
    good = "schema_version: 1\nid: good\nfail: {hosts: {api.openai.com: closed}}\n"
    agent = stage.agent(tmp_path, policy=good, supervise=OPTIONS)
    with agent:
        assert serves(agent)
    for damage in (b"\0damaged\xff" * 500, b"schema_version: 1\nid: broken\nno_such_key: 1\n", None):
        file = tmp_path / "policy.yaml"
        file.unlink()
        if damage is not None:
            file.write_bytes(damage)
        with agent:
            assert serves(agent)
            status = agent.control("status")
            assert "policy_refused" in {each["code"] for each in status["health"]}
            assert policy_of(agent) == "good"
            assert agent.trail.events(kind="policy_refused")
            file.write_text("schema_version: 1\nid: mended\n")
            agent.signal(signal.SIGHUP)
            wait_until(lambda: policy_of(agent) == "mended", "the mended one", seconds=SOON)
        file.write_text(good)
        with agent:
            assert agent.control("status")["health"] == []


def test_memory_exceeded(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=(*OPTIONS, "--memory", "50")) as agent:
        assert serves(agent)
        wait_until(lambda: "it used more than 50 MB" in agent.log, "the bound", seconds=SOON)
        comes_back(agent)


def test_memory_refused(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        assert serves(agent)
        engine = engine_of(agent)
        taken = psutil.Process(engine).memory_info().vms
        resource.prlimit(engine, resource.RLIMIT_AS, (taken, resource.RLIM_INFINITY))
        for _ in range(3):
            with suppress(OSError, NoTunnel), dialling(agent) as dial:
                dial(CHAT.host).ask("POST", CHAT.target(), CHAT.body("hello " * 1_000_000))
        with suppress(ProcessLookupError):
            resource.prlimit(engine, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        comes_back(agent)
        assert agent.trail.verify().ok
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0  # what a library logged of it is no crash


def test_root_damaged(stage: Stage, tmp_path: Path) -> None:
    agent = _spoiled(stage, tmp_path, lambda agent: agent.paths.root_certificate, supervise=None)
    process = agent.launch()
    assert process.wait(SOON) == 1
    agent.kill()
    assert "error:" in agent.log
    assert "hint:" in agent.log
    assert "Traceback" not in agent.log


def test_descriptors_exhausted(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        engine = engine_of(agent)
        resource.prlimit(engine, resource.RLIMIT_NOFILE, (64, 64))
        held = [socket.create_connection(("127.0.0.1", agent.proxy_port)) for _ in range(120)]
        for each in held:
            each.close()
        comes_back(agent)


def test_disk_full(stage: Stage, tmp_path: Path) -> None:
    with stage.agent(tmp_path, supervise=OPTIONS) as agent:
        engine = engine_of(agent)
        assert serves(agent)
        resource.prlimit(engine, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        assert serves(agent)
        resource.prlimit(engine, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert serves(agent)
        assert agent.trail.verify().ok

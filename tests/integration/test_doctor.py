"""The doctor beside a real agent, well and broken in the ways that people meet."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent_process import AgentProcess
from tests.integration.stage import Stage

UNTRUSTED = (0, 30)
"""The exit status of an agent that is well: whether the machine of the tests trusts its root is not ours to say."""


@pytest.fixture
def agent(stage: Stage, tmp_path: Path) -> Iterator[AgentProcess]:
    with stage.agent(tmp_path, policy="schema_version: 1\nid: mine\n") as agent:
        yield agent


def examined(agent: AgentProcess, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status, and the checks by id."""
    done = agent.drawbridge("doctor", "--json", *options, timeout=90)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["exit_code"] == done.returncode
    return done.returncode, {each["id"]: each for each in told["checks"]}


def test_an_agent_that_is_well(agent: AgentProcess) -> None:
    code, checks = examined(agent)
    assert code in UNTRUSTED
    for each in (
        *("agent.running", "agent.version", "agent.ports", "agent.on", "policy.in_force", "state.chain"),
        *("state.permissions", "state.keys", "ca.valid", "way.proxy", "way.pac", "network.upstream"),
    ):
        assert checks[each]["outcome"] == "ok", checks[each]
    # the probe itself counts neither as an exchange nor as a client that refuses the certificate
    assert agent.trail.events(kind="exchange") == ()
    assert "distrust" not in {row.kind for row in agent.trail.events(limit=100)}


def test_nobody_trusts_its_root(agent: AgentProcess, tmp_path: Path) -> None:
    _, checks = examined(agent, "--fast")
    assert checks["way.certificate"]["outcome"] == "failed"
    assert checks["trust.system"]["outcome"] == "failed"


def test_the_engine_was_killed(agent: AgentProcess) -> None:
    agent.kill()
    code, checks = examined(agent, "--fast")
    assert code == 1
    assert checks["agent.running"]["outcome"] == "failed"
    assert checks["state.chain"]["outcome"] == "skipped"
    assert checks["policy.loaded"]["outcome"] == "ok"


def test_another_program_has_the_port(agent: AgentProcess) -> None:
    agent.kill()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        agent._environ["DRAWBRIDGE_PROXY_PORT"] = str(taken.getsockname()[1])
        code, checks = examined(agent, "--fast")
    assert code == 1
    assert checks["agent.ports"]["outcome"] == "failed"
    assert str(os.getpid()) in checks["agent.ports"]["seen"]


def test_the_policy_on_the_disk_is_broken(agent: AgentProcess, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: mine\nnonsense: 1\n")
    code, checks = examined(agent, "--fast")
    assert code in (30, 40)
    assert checks["policy.loaded"]["outcome"] == "failed"


def test_the_policy_on_the_disk_is_another(agent: AgentProcess, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("schema_version: 1\nid: other\n")
    _, checks = examined(agent, "--fast")
    assert checks["policy.in_force"]["outcome"] == "failed"


def test_the_audit_trail_is_nearly_full(agent: AgentProcess) -> None:
    agent.kill()
    os.truncate(agent.paths.spool, 199 * 2**20)
    _, checks = examined(agent, "--fast")
    assert checks["state.trail"]["outcome"] == "warning"
    assert "199 of 200 MiB" in checks["state.trail"]["seen"]


def test_an_archive_of_a_running_agent(agent: AgentProcess, tmp_path: Path) -> None:
    file = tmp_path / "diag.zip"
    done = agent.drawbridge("diag", "--fast", "-o", str(file), timeout=90)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(file) as found:
        status = json.loads(found.read("status.json"))
    assert status["running"] is True

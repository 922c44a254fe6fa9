"""What keeps an agent from starting is said in one line, with how to mend it; and how a running one is asked."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.integration.agent_process import AgentProcess
from tests.integration.stage import Stage

GOOD = "schema_version: 1\nid: good\n"


def refused(agent: AgentProcess) -> str:
    """What an agent says that does not start: exit status 1, an error, a hint, no traceback."""
    process = agent.launch()
    assert process.wait(20) == 1
    assert "error:" in agent.log
    assert "Traceback" not in agent.log
    return agent.log.replace("\n", " ")


@pytest.mark.parametrize("listener", ["proxy", "gateway"])
def test_a_taken_port_is_named(listener: str, stage: Stage, tmp_path: Path) -> None:
    agent = stage.agent(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        setattr(agent, f"{listener}_port", port)
        said = refused(agent)
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert f"--{listener}-port" in said
    assert not agent.paths.runfile.exists()


def test_a_second_agent_on_a_state_directory_is_refused(
    agent: AgentProcess, stage: Stage, tmp_path: Path
) -> None:
    second = stage.agent(tmp_path)
    second.paths = agent.paths
    said = refused(second)
    assert f"another daemon (pid {agent.pid}) uses the state directory {agent.paths.root}" in said
    assert agent.status()["pid"] == agent.pid
    assert agent.drawbridge("status").returncode == 0


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("schema_version: 1\nid: bad\nguardrials: []\n", "policy.yaml:3"),
        ("schema_version: 1\nid: bad\nmode: [enforce\n", "policy.yaml:"),
        ("schema_version: 1\nid: bad\ndetectors:\n  - {id: d, pattern: '('}\n", "policy.yaml:4"),
    ],
    ids=["an unknown key", "no YAML", "a bad pattern"],
)
def test_a_bad_policy_is_named_with_its_line(text: str, word: str, stage: Stage, tmp_path: Path) -> None:
    said = refused(stage.agent(tmp_path, policy=text))
    assert word in said, said


def test_a_missing_policy_is_named(stage: Stage, tmp_path: Path) -> None:
    agent = stage.agent(tmp_path, policy=GOOD)
    (tmp_path / "policy.yaml").unlink()
    assert "cannot read the policy" in refused(agent)


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("DRAWBRIDGE_RESOLVE", "api.openai.com=nowhere", "RESOLVE"),
        ("DRAWBRIDGE_UPSTREAM_CA_FILE", "/no/such/file.pem", "/no/such/file.pem"),
    ],
)
def test_a_bad_setting_is_named(name: str, value: str, word: str, stage: Stage, tmp_path: Path) -> None:
    assert word in refused(stage.agent(tmp_path, environ={name: value}))


def test_the_status_of_a_running_agent_is_told(agent: AgentProcess) -> None:
    finished = agent.drawbridge("status", "--json")
    assert finished.returncode == 0
    facts = json.loads(finished.stdout)
    assert (facts["running"], facts["pid"], facts["proxy_port"]) == (True, agent.pid, agent.proxy_port)
    assert (facts["policy"]["id"], facts["policy"]["mode"]) == ("default", "enforce")


def test_the_status_of_none_is_a_failure(stage: Stage, tmp_path: Path) -> None:
    agent = stage.agent(tmp_path)
    finished = agent.drawbridge("status", "--json")
    assert (finished.returncode, json.loads(finished.stdout)["running"]) == (1, False)
    assert agent.drawbridge("exec", "--", "true").returncode == 1


def test_the_status_of_an_agent_that_crashed_is_a_failure_and_it_starts_again(
    stage: Stage, tmp_path: Path
) -> None:
    agent = stage.agent(tmp_path).start()
    agent.kill()
    assert agent.paths.runfile.exists()
    assert agent.drawbridge("status").returncode == 1
    with agent:
        assert agent.drawbridge("status").returncode == 0
    assert not agent.paths.runfile.exists()


def test_nobody_else_may_read_the_state_directory(agent: AgentProcess) -> None:
    for path in (agent.paths.root, *agent.paths.root.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        public = (agent.paths.root_certificate, agent.paths.bundle)  # certificates, for other programs
        assert mode & 0o077 == 0 or path in public, (path, oct(mode))


def test_the_agent_listens_on_loopback_only(agent: AgentProcess) -> None:
    listening = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=False).stdout
    if not listening:
        pytest.skip("ss is not here to tell")
    ours = [line for line in listening.splitlines() if f"pid={agent.pid}," in line]
    assert len(ours) == 3  # proxy, gateway, dashboard
    assert all(" 127.0.0.1:" in line for line in ours)

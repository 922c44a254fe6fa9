"""`drawbridge inventory`: what is on this machine, and which AI hosts nobody governs."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.audit import Spool
from agent.host.device import read_device
from agent.host.paths import StatePaths
from agent.model.record import IncidentKind
from tests.fakes.audit import CONNECTION, make_incident
from tests.fakes.command_line import Drawbridge


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home with a server for MCP, and a command that the policy looks for."""
    home = tmp_path / "home"
    (home / ".cursor").mkdir(parents=True)
    (home / ".cursor" / "mcp.json").write_text('{"mcpServers": {"files": {"command": "x"}}}')
    (home / "bin").mkdir()
    (home / "bin" / "acme-agent").write_text("")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.setenv("PATH", str(home / "bin"))
    return home


def test_it_lists_software_and_servers(
    drawbridge: Drawbridge, policy: Path, home: Path, tmp_path: Path
) -> None:
    policy.write_text(
        policy.read_text() + "discovery: {software: [{id: acme, name: Acme Agent, commands: [acme-agent]}]}\n"
    )
    shown = drawbridge("inventory", "--policy", policy, "--state-dir", tmp_path / "state")
    assert shown.exit_code == 0
    assert "Acme Agent" in shown.stdout
    assert "MCP servers" in shown.stdout
    told = json.loads(
        drawbridge("inventory", "--json", "--policy", policy, "--state-dir", tmp_path / "state").stdout
    )
    found = {(each["kind"], each["id"], each["name"]) for each in told["found"]}
    assert {("command", "acme", "Acme Agent"), ("mcp_server", "cursor", "files")} <= found
    assert (told["ungoverned_hosts"], told["notes"], told["unread"]) == ([], [], [])


async def _recorded(paths: StatePaths) -> None:
    spool = Spool(paths, device=read_device(paths), providers={})
    await spool.open()
    incident = make_incident(IncidentKind.UNKNOWN_HOST)
    facts = replace(CONNECTION, connect_host="gate.example", sni="gate.example", app="codex")
    for _ in range(2):
        await spool.append(replace(incident, at=time.time(), connection=facts))
    await spool.close()


def test_hosts_that_nobody_governs_are_read_off_the_trail(
    drawbridge: Drawbridge, policy: Path, home: Path, tmp_path: Path
) -> None:
    paths = StatePaths.under(tmp_path / "state")
    paths.prepare()
    asyncio.run(_recorded(paths))
    shown = drawbridge("inventory", "--policy", policy, "--state-dir", paths.root)
    assert "AI hosts that nobody governs" in shown.stdout
    told = json.loads(drawbridge("inventory", "--json", "--policy", policy, "--state-dir", paths.root).stdout)
    (host,) = told["ungoverned_hosts"]
    assert (host["host"], host["app"], host["kind"]) == ("gate.example", "codex", "unknown_host")

"""The inventory as a whole, of a machine that is a directory."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from agent.catalog.apps import bundled_apps
from agent.catalog.recognition import Apps
from agent.host.homes import Home, Registered
from agent.host.homes_windows import WindowsResidents
from agent.host.inventory import take_inventory
from agent.model.inventory import Found, FoundKind, Inventory, Software, Source
from tests.fakes.host import FakeProcessTable

APPS = Apps(bundled_apps())
SECRET = "not-to-be-seen"


class People:
    """Implements `Residents` for homes below a directory."""

    variables: ClassVar[dict[str, str]] = {}

    def __init__(self, root: Path, *users: str) -> None:
        self._homes = tuple(Home(user=user, path=root / user) for user in users)
        for home in self._homes:
            home.path.mkdir()

    def homes(self) -> tuple[Home, ...]:
        return self._homes

    def registered(self) -> tuple[Registered, ...]:
        return ()


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def of_people(inventory: Inventory) -> list[Found]:
    """Without what is installed on the machine that runs the test."""
    return [each for each in inventory.found if each.user]


def test_extensions_and_servers_of_everybody_are_found_and_no_value_of_theirs(tmp_path: Path) -> None:
    people = People(tmp_path, "ann", "bob")
    put(tmp_path / "ann/.vscode/extensions/anthropic.claude-code-2.1.0/package.json", {})
    put(
        tmp_path / "ann/.claude.json",
        {"mcpServers": {"files": {"command": SECRET, "args": [SECRET], "env": {"KEY": SECRET}}}},
    )
    put(tmp_path / "bob/.cursor/mcp.json", {"mcpServers": {"hub": {"url": f"https://{SECRET}"}}})
    (tmp_path / "bob/.gemini").mkdir()
    (tmp_path / "bob/.gemini/settings.json").write_text("{ broken")
    taken = take_inventory(APPS, machine=people, table=FakeProcessTable(), platform="linux")
    found = {(each.kind, each.id, each.name, each.user, each.transport) for each in of_people(taken)}
    assert found == {
        (FoundKind.EDITOR_EXTENSION, "claude-code", "Claude Code", "ann", ""),
        (FoundKind.MCP_SERVER, "claude-code", "files", "ann", "stdio"),
        (FoundKind.MCP_SERVER, "cursor", "hub", "bob", "http"),
    }
    assert SECRET not in repr(taken)
    assert taken.unread == ()


def test_the_same_on_macos(tmp_path: Path) -> None:
    people = People(tmp_path, "ann")
    library = tmp_path / "ann/Library/Application Support"
    put(library / "Google/Chrome/Default/Extensions/fcoeoabgfenejglbffodgkkbkcdhcgfn/1.0_0/manifest.json", {})
    put(library / "Claude/claude_desktop_config.json", {"mcpServers": {"files": {"command": "x"}}})
    put(tmp_path / "ann/Applications/ChatGPT.app/Contents/x", {})
    put(library / "JetBrains/PyCharm2026.1/plugins/ml-llm/x", {})
    taken = take_inventory(APPS, machine=people, table=FakeProcessTable(), platform="darwin")
    assert {(each.name, each.host) for each in of_people(taken)} == {
        ("Claude in Chrome", "chrome"),
        ("files", "Claude"),
        ("ChatGPT", ""),
        ("JetBrains AI Assistant", "jetbrains"),
    }


def test_the_same_on_windows(tmp_path: Path) -> None:
    put(tmp_path / "ann/AppData/Roaming/npm/node_modules/@openai/codex/package.json", {"version": "0.171.0"})
    put(tmp_path / "ann/AppData/Roaming/Code/User/mcp.json", {"servers": {"hub": {"type": "http"}}})
    put(tmp_path / "ann/AppData/Local/Programs/Ollama/ollama.exe", {})
    machine = WindowsResidents(
        everybody=True,
        environ={},
        base=tmp_path,
        programs=lambda: [Registered(name="Claude", version="1.0", user="ann"), Registered(name="Word")],
    )
    taken = take_inventory(APPS, machine=machine, table=FakeProcessTable(), platform="win32")
    assert {(each.kind, each.name, each.version) for each in taken.found} == {
        (FoundKind.COMMAND, "Codex", "0.171.0"),
        (FoundKind.COMMAND, "Ollama", ""),
        (FoundKind.APP, "Ollama", ""),
        (FoundKind.APP, "Claude", "1.0"),
        (FoundKind.MCP_SERVER, "hub", ""),
    }


def test_a_policys_own_software_is_looked_for_along_a_path(tmp_path: Path) -> None:
    people = People(tmp_path, "ann")
    put(tmp_path / "tools/acme-agent", {})
    own = Software(id="acme", name="Acme", names={Source.COMMANDS: ("acme-agent",)})
    taken = take_inventory(
        APPS, (own,), machine=people, table=FakeProcessTable(), path=str(tmp_path / "tools"), platform="linux"
    )
    assert [each.place for each in taken.found if each.id == "acme"] == [str(tmp_path / "tools/acme-agent")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_a_home_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    people = People(tmp_path, "ann", "bob")
    if os.geteuid() == 0:  # root may read everything: a home that is gone is as unreadable
        (tmp_path / "bob").rmdir()
    else:
        (tmp_path / "bob").chmod(0)
    taken = take_inventory(APPS, machine=people, table=FakeProcessTable(), platform="linux")
    assert taken.unread == ("bob",)

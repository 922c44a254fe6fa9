"""Which names stand where software is listed, in every layout."""

from __future__ import annotations

import json
import os
import plistlib
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.catalog.sighting import Sighting
from agent.host.homes import Home, Registered
from agent.host.software import Places, listed, on_path, registered
from agent.model.inventory import Item, Layout, Place, Software, Source


class House:
    """Implements `Residents`: one person below a directory, with the variables of Windows."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = Home(user="ann", path=root, variables={"appdata": str(root / "Roaming")})
        self.variables: Mapping[str, str] = {"programfiles": str(root / "Program Files")}

    def homes(self) -> tuple[Home, ...]:
        return (self.home,)

    def registered(self) -> tuple[Registered, ...]:
        return (Registered(name="Cursor (User)", version="1.2", user="ann"), Registered(name="Word"))


def wanted(source: Source, *names: str) -> Sighting:
    return Sighting((Software(id="x", name="X", names={source: names}),))


def found(house: House, source: Source, layout: Layout, path: str, *names: str) -> list[Item]:
    sighting = wanted(source, *names)
    place = Place(source=source, layout=layout, paths=(path,), host="h")
    return list(listed([place], Places(house), lambda of, name: sighting.of(of, name) is not None))


def put(path: Path, content: object = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def told(items: list[Item]) -> list[tuple[str, str]]:
    return [(each.name, each.version) for each in items]


def test_commands_are_names_and_a_link_leads_to_its_package(house: House) -> None:
    package = house.root / "lib" / "node_modules" / "@a" / "claude"
    put(package / "package.json", {"version": "2.1"})
    script = put(package / "cli.js", "")
    (house.root / "bin").mkdir()
    (house.root / "bin" / "claude").symlink_to(script)
    put(house.root / "bin" / "codex.exe", "")
    put(house.root / "bin" / "vim", "")
    items = found(house, Source.COMMANDS, Layout.NAMES, "~/bin", "claude", "codex")
    assert told(items) == [("claude", "2.1"), ("codex", "")]
    assert items[0].place == str(package)
    assert {each.user for each in items} == {"ann"}


def test_packages_of_node_have_their_version_in_their_manifest(house: House) -> None:
    put(house.root / "nm" / "@openai" / "codex" / "package.json", {"version": "0.1"})
    put(house.root / "nm" / "cline" / "package.json", "{")
    put(house.root / "nm" / "other" / "package.json", {"version": "9"})
    items = found(house, Source.NPM, Layout.NODE_MODULES, "~/nm", "@openai/codex", "cline")
    assert told(items) == [("@openai/codex", "0.1"), ("cline", "")]


def test_python_programs_have_theirs_in_a_directorys_name(house: House) -> None:
    packages = house.root / "venvs" / "aider-chat" / "lib" / "python3.12" / "site-packages"
    put(packages / "aider_chat-0.8.dist-info" / "METADATA", "")
    items = found(house, Source.PYTHON, Layout.ENVIRONMENTS, "~/venvs", "aider-chat")
    assert told(items) == [("aider-chat", "0.8")]


def test_extensions_of_browsers_are_ids_with_folders_of_versions(house: House) -> None:
    put(house.root / "chrome" / "Profile 1" / "Extensions" / "abcd" / "1.2.3_0" / "manifest.json", "")
    put(house.root / "chrome" / "Profile 1" / "Extensions" / "efgh" / "1_0" / "x", "")
    items = found(house, Source.CHROMIUM, Layout.VERSIONS, "~/chrome/*/Extensions", "abcd")
    assert told(items) == [("abcd", "1.2.3")]
    put(house.root / "ff" / "p" / "extensions" / "x@y.xpi", "")
    assert told(found(house, Source.FIREFOX, Layout.ADD_ONS, "~/ff/*/extensions", "x@y")) == [("x@y", "")]


def test_extensions_of_editors_are_folders_with_a_version(house: House) -> None:
    for name in ("a.claude-code-2.0.1", "a.claude-code-2.1.0-linux-x64", "a.claude-code", "b.other-1.0"):
        (house.root / "ext" / name).mkdir(parents=True)
    items = found(house, Source.VSCODE, Layout.EXTENSIONS, "~/ext", "a.claude-code")
    assert told(items) == [("a.claude-code", "2.1.0")]
    assert items[0].host == "h"


def test_applications_of_macos_tell_their_version(house: House) -> None:
    contents = house.root / "Apps" / "Claude.app" / "Contents"
    contents.mkdir(parents=True)
    (contents / "Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": "1.5"}))
    put(house.root / "Apps" / "ChatGPT.app" / "Contents" / "Info.plist", "no list")
    (house.root / "Apps" / "claude").mkdir()
    items = found(house, Source.MACOS, Layout.BUNDLES, "~/Apps", "claude", "chatgpt")
    assert told(items) == [("ChatGPT", ""), ("Claude", "1.5")]


def test_desktop_entries_are_told_by_their_name_and_snaps_by_theirs(house: House) -> None:
    for name in ("cursor.desktop", "ollama_ollama.desktop", "x.desktop", "cursor.txt"):
        put(house.root / "share" / name, "")
    items = found(house, Source.LINUX, Layout.ENTRIES, "~/share", "cursor", "ollama")
    assert [each.name for each in items] == ["cursor", "ollama"]


def test_variables_of_windows_lead_to_a_person_or_to_the_machine(house: House) -> None:
    (house.root / "Roaming" / "Code").mkdir(parents=True)
    (house.root / "Program Files" / "Ollama").mkdir(parents=True)
    assert [
        (each.name, each.user) for each in found(house, Source.WINDOWS, Layout.NAMES, "%APPDATA%", "code")
    ] == [("Code", "ann")]
    assert [
        (each.name, each.user)
        for each in found(house, Source.WINDOWS, Layout.NAMES, "%ProgramFiles%/", "ollama")
    ] == [("Ollama", "")]
    assert found(house, Source.WINDOWS, Layout.NAMES, "%NOWHERE%/x", "ollama") == []


def test_what_the_system_registers_is_told_with_its_version(house: House) -> None:
    sighting = wanted(Source.WINDOWS, "cursor*")
    items = list(registered(house, lambda of, name: sighting.of(of, name) is not None))
    assert [(each.name, each.version, each.user) for each in items] == [("Cursor (User)", "1.2", "ann")]


def test_along_a_path_the_first_of_a_name_counts(house: House) -> None:
    for directory in ("one", "two"):
        put(house.root / directory / "claude", "")
    path = os.pathsep.join((str(house.root / "one"), "relative", str(house.root / "two"), "/nowhere"))
    sighting = wanted(Source.COMMANDS, "claude")
    items = list(on_path(path, house.home, lambda of, name: sighting.of(of, name) is not None))
    assert [(each.place, each.user) for each in items] == [(str(house.root / "one" / "claude"), "ann")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_manifest_that_is_no_file_holds_nobody_up(house: House) -> None:
    folder = house.root / "nm" / "cline"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "package.json")
    (house.root / "nm" / "loop").symlink_to(house.root / "nm")
    items = found(house, Source.NPM, Layout.NODE_MODULES, "~/nm", "cline")
    assert told(items) == [("cline", "")]
    assert found(house, Source.NPM, Layout.NODE_MODULES, "~/nm/cline/package.json", "cline") == []

"""What starts the tray with a person's session: sound, and with options that the program has."""

from __future__ import annotations

import configparser
import plistlib
import xml.etree.ElementTree as ElementTree

from agent.tray.command import parser
from tests.installers.conftest import ROOT

INSTALLERS = ROOT / "installers"


def understood(words: list[str]) -> bool:
    """Whether the program takes these options of the tray."""
    return words[0] == "tray" and bool(parser().parse_args(words[1:]).if_possible)


def test_linux_starts_it_by_the_desktop() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment,method-assign]
    entry.read_string((INSTALLERS / "linux" / "drawbridge-tray.desktop").read_text())
    fields = entry["Desktop Entry"]
    program, *words = fields["Exec"].split()
    assert program == fields["TryExec"] == "/usr/lib/drawbridge/drawbridge"
    assert understood(words)
    assert (fields["Type"], fields["Terminal"]) == ("Application", "false")


def test_macos_starts_it_in_sessions_with_a_menu_bar_only() -> None:
    with (INSTALLERS / "macos" / "com.drawbridge.tray.plist").open("rb") as file:
        job = plistlib.load(file)
    with (INSTALLERS / "macos" / "com.drawbridge.agent.plist").open("rb") as file:
        agent = plistlib.load(file)
    assert job["LimitLoadToSessionType"] == "Aqua"
    assert job["ProgramArguments"][0] == agent["ProgramArguments"][0]
    assert understood(job["ProgramArguments"][1:])
    assert job["KeepAlive"] == {"SuccessfulExit": False}  # whoever closes it is obeyed


def test_windows_starts_it_by_the_run_key_with_its_path_in_quotes() -> None:
    root = ElementTree.parse(INSTALLERS / "windows" / "tray.wxi").getroot()
    [value] = root
    assert value.attrib["Root"] == "HKLM"
    assert value.attrib["Key"].endswith(r"CurrentVersion\Run")
    program, _, words = value.attrib["Value"].rpartition('" ')
    assert program == '"[INSTALLDIR]drawbridge.exe'
    assert understood(words.split())

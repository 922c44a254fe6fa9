"""A question to the person at the desktop, by the desktop's own tool. Blocks until it is answered."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from shutil import which
from types import MappingProxyType
from typing import Protocol

from agent.errors import HostError
from agent.host.run import Runner
from agent.policy.pausing import MAX_REASON
from agent.tray.desktop import tool

_SECONDS = 300.0  # somebody who went away does not answer
_TITLE = "Pause Drawbridge"
_QUESTION = "Why? The reason is kept in the audit trail."
_DIALOG = (
    'set asked to display dialog (item 1 of argv) with title (item 2 of argv) default answer "" '
    'buttons {"Cancel", "Pause"} default button 2 cancel button 1'
)
_APPLE = ("on run argv", _DIALOG, "return text returned of asked", "end run")
# a fixed script, into which nothing is put
_POWERSHELL = (
    "[Console]::OutputEncoding = [Text.UTF8Encoding]::new(); Add-Type -AssemblyName Microsoft.VisualBasic; "
    f"[Microsoft.VisualBasic.Interaction]::InputBox('{_QUESTION}', '{_TITLE}')"
)
_LINUX: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "zenity": ("zenity", "--entry", f"--title={_TITLE}", f"--text={_QUESTION}", "--ok-label=Pause"),
        "kdialog": ("kdialog", "--title", _TITLE, "--inputbox", _QUESTION),
    }
)


class Asker(Protocol):
    """Asks a person."""

    def reason(self) -> str:
        """Why interception shall rest; empty where the person thought better of it. Raises HostError where nobody can
        be asked."""
        ...


class DesktopAsker:
    """Asks by the tool of this system."""

    def __init__(
        self,
        *,
        platform: str = sys.platform,
        runner: Runner | None = None,
        find: Callable[[str], str | None] = which,
    ) -> None:
        self._platform = platform
        self._run = runner or tool(_SECONDS)
        self._find = find

    def reason(self) -> str:
        """See Asker."""
        done = self._run(self._command())
        answer = done.stdout.decode("utf-8", "replace") if done.code == 0 else ""
        return " ".join(answer.split())[:MAX_REASON]

    def _command(self) -> tuple[str, ...]:
        match self._platform:
            case "darwin":
                script = [word for line in _APPLE for word in ("-e", line)]
                return ("/usr/bin/osascript", *script, _QUESTION, _TITLE)
            case "win32":
                return ("powershell.exe", "-NoProfile", "-STA", "-Command", _POWERSHELL)
        for name, command in _LINUX.items():
            if self._find(name):
                return command
        raise HostError(
            "this desktop has no tool that asks a question",
            hint="Say the reason at the command line: drawbridge pause MINUTES --reason TEXT",
        )

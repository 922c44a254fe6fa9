"""What choosing a line of the menu does. Blocks: a person is asked, the agent is told, a browser is opened."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from agent.errors import DrawbridgeError, HostError
from agent.host.files import write_atomically
from agent.signin.person import Person
from agent.tray.asking import Asker
from agent.tray.menu import Deed, Item
from agent.tray.notifiers import Notifier
from agent.tray.seen import PauseRules
from agent.tray.watch import Agent

type Open = Callable[[str], bool]
"""Shows an address in a browser; whether that worked."""


class Deeds:
    """Carries out what was chosen. What goes wrong is told by a notification, with how to mend it."""

    def __init__(
        self,
        agent: Agent,
        *,
        show: Open,
        asker: Asker,
        notifier: Notifier,
        folder: Path,
        person: Callable[[], Person],
    ) -> None:
        """`folder` is where diagnostics are saved; `person` gives the dealings with the identity provider."""
        self._agent = agent
        self._show = show
        self._asker = asker
        self._notifier = notifier
        self._folder = folder
        self._person = person

    def do(self, item: Item, rules: PauseRules) -> None:
        """Carry it out. Raises HostError where not even a notification can be shown."""
        try:
            match item.deed:
                case Deed.DASHBOARD:
                    self._open("url", f"#event={quote(item.argument)}" if item.argument else "")
                case Deed.NOTICE:
                    self._open("notice")
                case Deed.PAUSE:
                    self._pause(int(item.argument), ask=rules.reason)
                case Deed.RESUME:
                    self._agent.ask("resume")
                case Deed.DIAGNOSTICS:
                    self._save()
                case Deed.SIGN_IN:
                    name = self._person().sign_in(self._show)["name"]
                    self._notifier.notify("Signed in", f"as {name}")
                case Deed.SIGN_OUT:
                    self._sign_out()
        except DrawbridgeError as error:
            self._notifier.notify("Drawbridge could not do that", f"{error}\n{error.hint()}".strip())

    def _open(self, which: str, fragment: str = "") -> None:
        address = str(self._agent.ask("dashboard")[which])
        if not self._show(address + fragment):
            raise HostError(
                "no browser was found", hint="Open it from a terminal: drawbridge dashboard --print"
            )

    def _pause(self, minutes: int, *, ask: bool) -> None:
        reason = self._asker.reason() if ask else ""
        if ask and not reason:
            return
        self._agent.ask("pause", {"minutes": minutes, "reason": reason})

    def _sign_out(self) -> None:
        done = self._person().sign_out()
        if done.problem:
            self._notifier.notify(
                "Signed out here", f"The identity provider could not be told: {done.problem}"
            )

    def _save(self) -> None:
        """The agent's own account of itself; of people who are no administrators, what they may see of it."""
        try:
            found = self._agent.ask("diag")
        except DrawbridgeError:
            found = self._agent.ask("status")
        path = self._folder / f"drawbridge-diagnostics-{time.strftime('%Y%m%d-%H%M%S')}.json"
        write_atomically(path, json.dumps(found, indent=2, ensure_ascii=False).encode() + b"\n")
        self._notifier.notify("Diagnostics are saved", f"{path}\nThey hold no secret and no content.")

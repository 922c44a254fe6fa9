"""What the tray meets: an agent, a panel, a desktop that records."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.control.client import NotRunningError
from agent.errors import HostError
from agent.host.run import Completed
from agent.tray.menu import Item, Menu, flat
from agent.tray.panels import Choose


def line(number: int, **given: object) -> dict[str, Any]:
    """One exchange as the verb `live` tells it."""
    plain: dict[str, object] = {
        "number": number,
        "id": f"00000000-0000-7000-8000-{number:012x}",
        "ended": 1_800_000_000.0 + number,
        "app": "claude-code",
        "user": "ann",
        "model": "claude-opus",
        "provider": "anthropic",
        "action": "allow",
        "applied": True,
        "outcome": "completed",
        "reason": "",
        "findings": [],
        "error": "",
        "rules": [],
    }
    return plain | given


def blocked(number: int, **given: object) -> dict[str, Any]:
    """One that was blocked."""
    told = {"action": "block", "outcome": "blocked", "reason": "source code in the prompt", "rules": ["code"]}
    return line(number, **told | given)


class FakeAgent:
    """Answers like the control API. `error` is raised by every verb but those in `refused`, which raise theirs."""

    def __init__(self) -> None:
        self.status: dict[str, Any] = {
            "state": "guarding",
            "health": [],
            "pause": None,
            "policy": {"id": "house", "revision": 3},
        }
        self.me: dict[str, Any] = {
            "user": "ann",
            "operator": True,
            "accounts": ["ann", ""],
            "dashboard": True,
            "pause": {"allow": "with_reason", "max_minutes": 30, "may": True},
            "today": {
                "requests": 2,
                "blocked": 1,
                "redacted": 0,
                "observed": 0,
                "apps": [["claude-code", 2]],
                "models": [],
            },
            "keys": [],
        }
        self.lines: list[dict[str, Any]] = []
        self.error: Exception | None = None
        self.refused: dict[str, Exception] = {}
        self.asked: list[tuple[str, Mapping[str, object]]] = []

    def ask(self, verb: str, arguments: Mapping[str, object] | None = None) -> dict[str, Any]:
        given = dict(arguments or {})
        self.asked.append((verb, given))
        if error := self.refused.get(verb, self.error):
            raise error
        match verb:
            case "live":
                since = given["since"]
                assert isinstance(since, int)
                fresh = [each for each in self.lines if each["number"] > since]
                return {"latest": max((each["number"] for each in self.lines), default=0), "exchanges": fresh}
            case "dashboard":
                return {"url": "http://127.0.0.1:1/enter?ticket=t", "notice": "http://127.0.0.1:1/notice"}
            case "status":
                return self.status
            case "me":
                return self.me
        return {"verb": verb}

    def stop(self) -> None:
        """From now on nobody answers."""
        self.error = NotRunningError("not running")

    def verbs(self) -> list[str]:
        """What was asked since the last call."""
        told = [verb for verb, _ in self.asked]
        self.asked.clear()
        return told


class RecordingNotifier:
    """Remembers what people would have seen."""

    def __init__(self, *, error: str = "") -> None:
        self.shown: list[tuple[str, str]] = []
        self.error = error

    def notify(self, title: str, text: str, *, urgent: bool = False) -> None:
        del urgent
        if self.error:
            raise HostError(self.error)
        self.shown.append((title, text))


class RecordingPanel:
    """A panel that only remembers; somebody else chooses."""

    def __init__(self) -> None:
        self.menus: list[Menu] = []
        self.dark: list[bool] = []
        self.choose: Choose = lambda item: None
        self.started = threading.Event()
        self._ended = threading.Event()

    def run(self, started: Callable[[], None], choose: Choose) -> None:
        self.choose = choose
        started()
        self.started.set()
        self._ended.wait()

    def show(self, menu: Menu, *, dark: bool) -> None:
        self.menus.append(menu)
        self.dark.append(dark)

    def stop(self) -> None:
        self._ended.set()

    def labels(self) -> list[str]:
        """Every label of the menu that is shown."""
        return [item.label for item in flat(self.menus[-1].items)] if self.menus else []

    def find(self, label: str) -> Item:
        """The first item whose label begins so."""
        return next(item for item in flat(self.menus[-1].items) if item.label.startswith(label))


class RecordingRunner:
    """Remembers commands; each ends with `code` and says `stdout`."""

    def __init__(self, *, code: int = 0, stdout: bytes = b"") -> None:
        self.commands: list[tuple[str, ...]] = []
        self._answer = Completed(code=code, stdout=stdout, stderr=b"")

    def __call__(self, argv: Sequence[str]) -> Completed:
        self.commands.append(tuple(argv))
        return self._answer

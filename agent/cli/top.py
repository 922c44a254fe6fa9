"""`drawbridge top`: the traffic of the running agent, live. Metadata only: no prompt and no answer is shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.live import Live

from agent.cli.console import explains_errors, out, say_json, settings_from
from agent.cli.keyboard import Keyboard
from agent.cli.top_screen import Screen, screen
from agent.control.client import Control
from agent.errors import DrawbridgeError

_KEPT = 500  # lines
_ONCE = 50


class Feed:
    """What is known of the agent, kept up to date by asking for what is new."""

    def __init__(self, control: Control, *, kept: int = _KEPT) -> None:
        self._control = control
        self._kept = kept
        self._latest = 0
        self._lines: list[dict[str, Any]] = []
        self._facts: dict[str, Any] = {}
        self._view: dict[str, Any] = {}

    def refresh(self) -> None:
        """Ask what is new. Raises DrawbridgeError where no agent answers."""
        self._facts = self._control.ask("status")
        view = self._ask(since=self._latest)
        if view["latest"] < self._latest:  # another agent than before: it counts from 1 again
            self._lines.clear()
            view = self._ask(since=0)
        self._latest = view["latest"]
        self._lines = [*self._lines, *view["exchanges"]][-self._kept :]
        self._view = view

    def seen(self, *, problem: str = "", paused: bool = False, live: bool = False) -> Screen:
        """What was seen last."""
        return Screen(
            facts=self._facts,
            view=self._view,
            lines=tuple(self._lines),
            problem=problem,
            paused=paused,
            live=live,
        )

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {"status": self._facts, **self._view, "exchanges": self._lines}

    def _ask(self, *, since: int) -> dict[str, Any]:
        return self._control.ask("live", {"since": since, "limit": self._kept})


@explains_errors
def top(
    *,
    once: Annotated[bool, typer.Option("--once", help="Print one table and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and end.")] = False,
    interval: Annotated[float, typer.Option(min=0.2, max=60, help="Seconds between two looks.")] = 1.0,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Show the traffic of the running agent, live: what runs, what ended, how long it took and what was found.

    Keys: q ends, p pauses. In a pipe one table is printed, as with --once.
    """
    feed = Feed(Control(settings_from({"state_dir": state_dir and str(state_dir.absolute())}), nodes=True))
    console = out()
    feed.refresh()  # whoever starts it where no agent runs is told so at once
    if as_json:
        say_json(feed.document())
    elif once or not console.is_terminal:
        console.print(screen(feed.seen(), width=console.width, rows=_ONCE, now=time.time()))
    else:
        with Keyboard() as keyboard:
            watch(feed, console, keyboard, interval=interval)


class KeySource(Protocol):
    """Where keys come from."""

    def key(self, seconds: float) -> str:
        """The next key, empty where none comes in `seconds`."""
        ...


def watch(feed: Feed, console: Console, keyboard: KeySource, *, interval: float) -> None:
    """Draw until somebody presses q or Ctrl-C."""
    paused = False
    with Live(console=console, screen=True, auto_refresh=False) as live:
        try:
            while True:
                seen = feed.seen(paused=True, live=True) if paused else _look(feed)
                height = console.height
                live.update(
                    screen(seen, width=console.width, rows=height, now=time.time(), height=height),
                    refresh=True,
                )
                match keyboard.key(interval):
                    case "q" | "Q" | "\x1b":
                        return
                    case "p" | "P" | " ":
                        paused = not paused
        except KeyboardInterrupt:
            return


def _look(feed: Feed) -> Screen:
    """An agent that restarts is waited for."""
    try:
        feed.refresh()
    except DrawbridgeError as error:
        return feed.seen(problem=str(error), live=True)
    return feed.seen(live=True)

"""The command itself: makes the checks group by group, shows them, decides the exit status."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from agent import __version__
from agent.cli.console import EXIT_OFF, err, explains_errors, out, say_json, settings_from
from agent.cli.doctor import condition, judging, signing_in, surroundings
from agent.cli.doctor.checks import Group, Outcome, Result, exit_code
from agent.cli.doctor.machinery import Machinery

SCHEMA = 1
_STYLES = {
    Outcome.OK: "green",
    Outcome.WARNING: "bold yellow",
    Outcome.FAILED: "bold red",
    Outcome.SKIPPED: "dim",
}
_WORDS = {0: "well", 1: "not running", 10: "degraded", EXIT_OFF: "off", 30: "not trusted", 40: "stale policy"}

_EXAMINATIONS: tuple[tuple[Group, Callable[[Machinery], Iterator[Result]]], ...] = (
    (Group.AGENT, lambda machine: judging.agent(condition.agent_facts(machine))),
    (Group.POLICY, lambda machine: judging.policy(condition.policy_facts(machine))),
    (Group.STATE, lambda machine: judging.state(condition.state_facts(machine))),
    (Group.TRUST, lambda machine: judging.trust(surroundings.trust_facts(machine))),
    (Group.WAY, lambda machine: judging.way(surroundings.way_facts(machine))),
    (Group.NETWORK, lambda machine: judging.network(surroundings.network_facts(machine))),
    (Group.SIGN_IN, lambda machine: judging.sign_in(signing_in.sign_in_facts(machine))),
    (Group.OTHERS, lambda machine: judging.others(surroundings.other_facts(machine))),
)


@explains_errors
def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="No connection out, and the audit trail is not read through.")
    ] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Find out what is wrong on this machine, and how to mend it. Changes nothing.

    Exit status: 0 well, 1 not running, 10 degraded, 20 paused, 30 the root is not trusted, 40 the policy on the disk is
    not in force. Warnings do not count.
    """
    machine = Machinery(
        settings=settings_from({"state_dir": state_dir and str(state_dir.absolute())}),
        environ=os.environ,
        fast=fast,
    )
    results: list[Result] = []
    for group, found in examined(machine):
        results += found
        if not as_json:
            _show(group, found)
    code = exit_code(results)
    if as_json:
        say_json(document(results))
    else:
        counted = {each: sum(row.outcome is each for row in results) for each in Outcome}
        told = ", ".join(f"{number} {each.value}" for each, number in counted.items() if number)
        out().print(f"[bold]{_WORDS[code]}[/]: {told}")
    if code:
        raise typer.Exit(code)


def examined(machine: Machinery) -> Iterator[tuple[Group, tuple[Result, ...]]]:
    """Every group and its results, one after the other, as they are known."""
    terminal = err()
    for group, examine in _EXAMINATIONS:
        if terminal.is_terminal:
            with terminal.status(f"{group.value} …"):
                found = tuple(examine(machine))
        else:
            found = tuple(examine(machine))
        yield group, found


def document(results: list[Result]) -> dict[str, object]:
    """Everything as JSON has it."""
    code = exit_code(results)
    return {
        "schema": SCHEMA,
        "version": __version__,
        "platform": platform.platform(),
        "at": round(time.time(), 3),
        "verdict": _WORDS[code].replace(" ", "_"),
        "exit_code": code,
        "checks": [each.document() for each in results],
    }


def _show(group: Group, results: tuple[Result, ...]) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in results:
        said = Text.assemble(each.check.title, (f": {each.seen}" if each.seen else "", "dim"))
        if advice := each.advice:
            said.append(f"\n→ {advice}")
        table.add_row(Text(f"  {each.outcome.value:7}", style=_STYLES[each.outcome]), said)
    out().print(Text(group.value, style="bold"))
    out().print(table)

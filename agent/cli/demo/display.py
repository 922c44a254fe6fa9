"""The demo's report, for people and for programs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from agent.audit import StoredEvent
from agent.cli.demo.results import Report, Step
from agent.cli.events import at, rules_of, what
from agent.routing.failures import Cause

_NEXT = (
    ("drawbridge up", "run the agent"),
    ("drawbridge exec -- claude", "run a program through it"),
    ("drawbridge audit list", "see what happened"),
    ("drawbridge providers list", "whom its gateway can ask"),
)
_WIDEST = 110
_ROOMY = 90
_MARK = r"\[REDACTED:\w+\]"


def show(report: Report, console: Console) -> None:
    """Print the report as tables that fit a terminal of 80 columns."""
    width = min(console.width, _WIDEST)
    agent = report.agent
    console.print(
        f"[dim]agent process {agent.pid} at 127.0.0.1:{agent.proxy_port}; "
        f"{escape(report.policy) or "the demo's own policy"}[/]\n"
    )
    console.print(_steps(report.steps, width))
    if report.gateway_steps:
        remark = f"the SDKs at http://127.0.0.1:{agent.gateway_port}, each with a virtual key"
        console.print(_heading("The gateway", remark))
        console.print(_steps(report.gateway_steps, width))
    console.print(_heading("The audit trail of it", "facts only: the policy keeps no prompts and no answers"))
    console.print(_trail(report.events, gap=1 if width < _ROOMY else 2))
    console.print()
    console.print(_facts(report))
    console.print(_heading("How to go on", ""))
    console.print(_next())
    console.print()
    console.print(_verdict(report))


def document(report: Report) -> dict[str, object]:
    """The report as one JSON document."""
    return {
        "ok": report.ok,
        "seconds": round(report.seconds, 2),
        "agent": asdict(report.agent),
        "policy": report.policy or "the demo's own",
        "steps": [
            {
                "id": step.id,
                "title": step.title,
                "program": step.program,
                "ok": step.ok,
                "decision": step.decision,
                **asdict(step.seen),
            }
            for step in report.all_steps
        ],
        "audit": {
            "ok": report.verified.ok and not report.trail_problem,
            "problem": report.trail_problem,
            "events": [event.document for event in report.events],
            "verified": asdict(report.verified),
        },
        "latency": {**asdict(report.latency), "added_ms": report.latency.added_ms},
    }


def _steps(steps: tuple[Step, ...], width: int) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), width=width, header_style="bold"
    )
    table.add_column("", width=1)
    table.add_column("what was tried", ratio=21, overflow="fold")
    table.add_column("what the client saw", ratio=26, overflow="fold")
    table.add_column("what the provider got", ratio=26, overflow="fold")
    for number, step in enumerate(steps):
        if number:
            table.add_row()
        mark = Text("✓", style="bold green") if step.ok else Text("✗", style="bold red")
        tried = Text.assemble((step.title, "bold"), (f"\n{step.program}: ", "dim"), step.seen.tried)
        client, provider = _marked(step.seen.client_saw), _marked(step.seen.provider_received)
        if step.seen.problem:
            client = Text.assemble((step.seen.problem, "bold red"), "\n" if client.plain else "", client)
        table.add_row(mark, tried, client, provider)
    return table


def _marked(text: str) -> Text:
    """`text` with what was put in the place of secrets in colour."""
    shown = Text(text)
    shown.highlight_regex(_MARK, "bold yellow")
    return shown


def _trail(events: tuple[StoredEvent, ...], *, gap: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for name in ("time", "who answered", "model", "decision", "rules"):
        table.add_column(name, no_wrap=name in ("time", "decision"), overflow="ellipsis")
    for event in events:
        row = event.row
        at_time = datetime.fromtimestamp(row.time_ms / 1e3).astimezone()
        table.add_row(
            f"{at_time:%H:%M:%S}",
            way_of(event),
            escape(row.model) or "–",
            what(row),
            escape(",\n".join(rules_of(event)) or "–"),
        )
    return table


def way_of(event: StoredEvent) -> str:
    """Who answered: the host that the program meant, or whom the gateway asked, in order."""
    served = at(event.document, "unmapped", "drawbridge", "served")
    if at(event.document, "unmapped", "drawbridge", "upstream") != "gateway":
        return escape(event.row.host)
    cache = at(served, "cache")
    if isinstance(cache, str) and cache != "miss":
        return "the cache"
    attempts = at(served, "attempts")
    asked = [
        f"{at(each, 'provider')}{' ✗' if at(each, 'failure') else ''}"
        for each in (attempts if isinstance(attempts, list) else [])
        if at(each, "failure") != Cause.BUDGET  # that one was not sent
    ]
    return escape(" → ".join(asked)) or ("the gateway" if event.row.outcome == "completed" else "nobody")


def _facts(report: Report) -> Table:
    verified, latency = report.verified, report.latency
    table = Table.grid(padding=(0, 2))
    chain = f"[green]unbroken[/], {verified.events} events" if verified.ok else "[bold red]broken[/]"
    if verified.problem is not None:
        chain += f": event {verified.problem.seq}, {verified.problem.kind}: {escape(verified.problem.text)}"
    if report.trail_problem:
        chain += f"\n[bold red]it tells another story:[/] {escape(report.trail_problem)}"
    table.add_row("[dim]audit verify[/]", chain)
    table.add_row(
        "[dim]added latency[/]",
        f"[bold]{latency.added_ms:+.2f} ms[/] a request: {latency.direct_ms:.2f} ms straight, "
        f"{latency.bridged_ms:.2f} ms through the bridge\n"
        f"[dim]medians of {latency.requests} small requests by turns; "
        f"{latency.own_ms:.2f} ms of it inspection[/]",
    )
    return table


def _heading(title: str, remark: str) -> Text:
    return Text.assemble("\n", (title, "bold"), (f"  {remark}" if remark else "", "dim"))


def _next() -> Table:
    table = Table.grid(padding=(0, 2))
    for command, purpose in _NEXT:
        table.add_row(f"[bold cyan]{command}[/]", f"[dim]{purpose}[/]")
    return table


def _verdict(report: Report) -> Text:
    good = sum(step.ok for step in report.all_steps)
    line = f"{good} of {len(report.all_steps)} did what they should, in {report.seconds:.1f} s"
    if report.ok:
        return Text(f"✓ {line}. Nothing is left behind.", style="bold green")
    return Text(f"✗ {line}.", style="bold red")

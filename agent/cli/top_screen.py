"""How `drawbridge top` looks: pure, from what the local pages say to what rich draws."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agent.cli.events import clock, decision_text

_RUNNING = 8  # running exchanges that are shown
_WIDE = 100  # characters of a terminal, from which on providers are told
_SPENT = 0.9  # of a budget, from which it is red


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is to be seen: the documents of the local pages."""

    facts: Mapping[str, Any]
    view: Mapping[str, Any]
    lines: tuple[Mapping[str, Any], ...]
    problem: str = ""
    paused: bool = False
    live: bool = False  # somebody watches and may press keys


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    least: int  # width of the terminal from which on it is shown
    right: bool = False
    most: int = 0  # of a name from outside: how wide it may be, and it shrinks first


_COLUMNS = (
    _Column("time", 0),
    _Column("app", 0, most=22),
    _Column("model", 0, most=40),
    _Column("outcome", 0),
    _Column("tokens", 60, right=True),
    _Column("cost", 80, right=True),
    _Column("first", 90, right=True),
    _Column("total", 0, right=True),
    _Column("own", 90, right=True),
    _Column("cache", 120),
    _Column("account", 150, most=24),
    _Column("found", 80, most=48),
)
_OPTIONAL = {"cost": "cost_nano_usd", "cache": "cache", "account": "account"}
"""Columns that are shown where a line has something there."""


def screen(seen: Screen, *, width: int, rows: int, now: float, height: int | None = None) -> RenderableType:
    """The whole picture. `rows` bounds the table; with a `height` it is what fits."""
    head = list(_header(seen, now=now))
    room = rows if height is None else max(height - len(head) - 2, 1)
    table = _table(seen, width=width, room=room, now=now)
    if not table.row_count:
        return Group(
            *head, Text("\nNothing yet. Run a program through it: drawbridge exec -- COMMAND", "dim")
        )
    return Group(*head, table)


def _header(seen: Screen, *, now: float) -> Iterator[Text]:
    facts, view = seen.facts, seen.view
    policy = facts.get("policy", {})
    title = Text.assemble(
        ("drawbridge", "bold"),
        f"  {policy.get('id', '')}",
        f" ({policy.get('mode', '')})" if policy else "",
        (f"  up {_span(now - facts['started_at'])}" if "started_at" in facts else "", "dim"),
        (f"  {clock(now, now=now)}", "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )
    if seen.problem:
        title.append(f"  waiting: {seen.problem}", "bold red")
    elif seen.paused:
        title.append("  paused", "bold yellow")
    if seen.live:
        title.append("  q quits, p pauses", "dim")
    yield title
    if summary := view.get("summary"):
        yield _rates(summary, running=len(view.get("running", ())))
        yield _latency(summary)
    keys = view.get("keys", ())
    if keys:
        yield _keys(keys)
    if budgets := _fullest(view.get("budgets", ())):
        yield budgets
    yield Text("")


def _rates(summary: Mapping[str, Any], *, running: int) -> Text:
    count, failed, blocked = summary["exchanges"], summary["failed"], summary["blocked"]
    share = f" ({failed / count:.1%})" if failed else ""
    return _row(
        ("running", str(running), "bold" if running else ""),
        ("last minute", f"{count} ({_rate(summary['per_second'])}/s)", ""),
        ("failed", f"{failed}{share}", "bold red" if failed else ""),
        ("blocked", str(blocked), "bold red" if blocked else ""),
        ("tokens", f"{_count(round(summary['tokens_per_second']))}/s", ""),
    )


def _latency(summary: Mapping[str, Any]) -> Text:
    return _row(
        ("p50", _time(summary["p50_ms"]), ""),
        ("p95", _time(summary["p95_ms"]), ""),
        ("own p50", _time(summary["overhead_p50_ms"]), ""),
        ("own p95", _time(summary["overhead_p95_ms"]), ""),
        ("spent today", _dollars(summary["spent_today_nano_usd"]), "bold"),
    )


def _keys(keys: list[Mapping[str, Any]]) -> Text:
    """Those that are left alone come first: they are why somebody looks."""
    text = Text("keys ", "dim", no_wrap=True, overflow="ellipsis")
    for key in sorted(keys, key=lambda each: each["usable"]):
        mark, style = ("●", "green") if key["usable"] else ("○", "red")
        text.append(f" {mark} ", style)
        text.append(f"{key['provider']}/{key['key']}", "")
        if not key["usable"]:
            text.append(f" {key['state']}", "red")
        text.append(" ")
    return text


def _fullest(budgets: list[Mapping[str, Any]]) -> Text | None:
    """The budgets that are nearest to their end."""
    shares = [(each["used"] / each["limit"], each) for each in budgets if each["limit"]]
    shares.sort(key=lambda pair: -pair[0])
    if not shares:
        return None
    text = Text("budgets ", "dim", no_wrap=True, overflow="ellipsis")
    for share, each in shares[:4]:
        text.append(f" {each['owner']} {each['unit']}/{each['period']} ", "")
        text.append(f"{share:.0%} ", "bold red" if share >= _SPENT else "")
    return text


def _row(*cells: tuple[str, str, str]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for place, (name, value, style) in enumerate(cells):
        text.append("   " if place else "", "")
        text.append(f"{name} ", "dim")
        text.append(value, style or "none")
    return text


def _table(seen: Screen, *, width: int, room: int, now: float) -> Table:
    shown = [column for column in _COLUMNS if width >= column.least]
    lines = seen.lines
    shown = [column for column in shown if column.name not in _OPTIONAL or _used(column.name, lines)]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in shown:
        table.add_column(
            column.name,
            justify="right" if column.right else "left",
            no_wrap=not column.most,
            overflow="ellipsis",
            max_width=column.most or None,
        )
    running = list(seen.view.get("running", ()))[-min(_RUNNING, max(room // 3, 1)) :]
    for one in reversed(running):
        _add(table, shown, _running_cells(one, now=now), style="italic")
    for line in reversed(lines[-max(room - len(running), 0) :] if room > len(running) else ()):
        _add(table, shown, _cells(line, now=now, brief=width < _WIDE))
    return table


def _add(table: Table, shown: list[_Column], cells: Mapping[str, Text], style: str = "") -> None:
    table.add_row(*(_cell(cells.get(column.name)) for column in shown), style=style)


def _cell(text: Text | None) -> Text:
    """What may shrink is cut off at its end, not broken at a space."""
    cell = text or Text("")
    cell.no_wrap = True
    cell.overflow = "ellipsis"
    return cell


def _used(name: str, lines: tuple[Mapping[str, Any], ...]) -> bool:
    return any(line.get(_OPTIONAL[name]) for line in lines)


def _running_cells(one: Mapping[str, Any], *, now: float) -> dict[str, Text]:
    return {
        "time": Text(clock(one["at"], now=max(now, one["at"]))),
        "app": Text(one["app"] or "–"),
        "model": Text(one["model"] or f"{one['host']}{one['path']}"),
        "outcome": Text("answering" if one["answering"] else "waiting", "cyan"),
        "total": Text(_time(max(now - one["at"], 0.0) * 1e3), "cyan"),
    }


def _cells(line: Mapping[str, Any], *, now: float, brief: bool) -> dict[str, Text]:
    tokens = (line["input_tokens"], line["output_tokens"])
    return {
        "time": Text(clock(line["at"], now=now), "dim"),
        "app": _program(line, brief=brief),
        "account": Text(line.get("account", ""), "dim"),
        "model": Text(_model(line, brief=brief)),
        "outcome": _outcome(line),
        "tokens": Text("" if tokens == (None, None) else f"{_count(tokens[0])}→{_count(tokens[1])}"),
        "cost": Text("" if line["cost_nano_usd"] is None else _dollars(line["cost_nano_usd"])),
        "first": Text(_time(line["first_token_ms"]) if line["first_token_ms"] is not None else ""),
        "total": Text(_time(line["total_ms"])),
        "own": Text(_time(line["overhead_ms"]), "dim"),
        "cache": Text(line["cache"], "green" if line["cache"] not in ("", "miss") else "dim"),
        "found": Text(
            ", ".join(f"{name}" + (f" ×{count}" if count > 1 else "") for name, count in line["findings"]),
            "yellow",
        ),
    }


def _program(line: Mapping[str, Any], *, brief: bool) -> Text:
    """With the app that started it where there is room."""
    text = Text(line["app"] or "–")
    if not brief and line.get("within"):
        text.append(f" in {line['within'][0]}", "dim")
    return text


def _model(line: Mapping[str, Any], *, brief: bool) -> str:
    """With its provider where there is room."""
    if not line["model"]:
        return str(line["provider"])
    return str(line["model"]) if brief else f"{line['provider']}/{line['model']}"


def _outcome(line: Mapping[str, Any]) -> Text:
    """In a word: how it failed, else what was decided."""
    if failure := line["failure"]:
        text = Text("left" if failure == "client_closed" else failure.replace("_", " "), "red")
    elif line["action"] == "allow":
        text = Text("ok", "green")
    else:
        text = decision_text(line["action"])
    if line["attempts"] > 1:
        text.append(f" ×{line['attempts']}", "yellow")
    return text


def _span(seconds: float) -> str:
    minutes = int(max(seconds, 0) // 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else f"{int(max(seconds, 0))} s"
    hours = minutes // 60
    return f"{hours} h {minutes % 60:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _time(milliseconds: float | None) -> str:
    """With as many digits as a person reads."""
    if milliseconds is None:
        return "–"
    if milliseconds < 10:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1e3
    return f"{seconds:.1f} s" if seconds < 100 else f"{int(seconds) // 60} min"


def _count(number: int | None) -> str:
    if number is None:
        return "?"
    if number < 1000:
        return str(number)
    return f"{number / 1e3:.1f}k" if number < 1e6 else f"{number / 1e6:.1f}M"


def _rate(number: float) -> str:
    return f"{number:.1f}" if number < 100 else f"{number:.0f}"


def _dollars(nano: int) -> str:
    dollars = nano / 1e9
    if not nano:
        return "$0"
    return f"${dollars:.2f}" if dollars >= 1 else f"${dollars:.4f}" if dollars >= 0.0001 else "<$0.0001"

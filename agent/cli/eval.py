"""`drawbridge eval`: measures the guardrails of a policy on labelled texts. Owns files, progress and tables."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from agent.cli.console import EXIT_FAILED, err, explains_errors, out, say_json
from agent.errors import ConfigError, ContentError
from agent.gateway.policy_file import PolicyFile, known_names
from agent.guardrails import bundled_rules
from agent.inspection import RuleBook
from agent.inspection.evaluation import (
    Bar,
    FamilyScore,
    Fault,
    Kind,
    Mistake,
    Part,
    Report,
    Row,
    Scoring,
    parse_bar,
    parse_row,
)
from agent.inspection.evaluation.scoring import METRICS
from agent.model.findings import Family
from agent.policy import load

MAX_LINE = 16 * 1024 * 1024
"""The longest row, in bytes."""
_WORST = 25


@explains_errors
def evaluate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder of .jsonl files, or one such file.")
    ],
    *,
    policy: Annotated[
        Path | None, typer.Option(help="Policy file; default: one with every family on.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The figures as one JSON document.")] = False,
    family: Annotated[Family | None, typer.Option(help="Measure this family only.")] = None,
    show_errors: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show N mistakes of each kind and family.")
    ] = 0,
    only: Annotated[
        str, typer.Option(help="Of the mistakes show those whose type, context or rule contains this.")
    ] = "",
    require: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAMILY.METRIC=NUMBER", help="Exit with 1 where a figure misses this; repeatable."
        ),
    ] = None,
) -> None:
    """Measure precision, recall and false alarms on labelled texts.

    A labelled span counts as found where a finding of the same family overlaps it; a finding that overlaps none is a
    false alarm. Metrics for --require: precision, recall, f1, typed, covered, evasion (at least); false_alarms (share
    of hard negatives), benign (findings per 1,000 benign rows) (at most).
    """
    bars = [parse_bar(text) for text in require or ()]
    rules = PolicyFile(policy).rules if policy else all_families()
    report = measured(rules, folder, family)
    if as_json:
        say_json(plain(report, bars, show_errors, only))
    else:
        _show(report, bars)
        if show_errors:
            _show_mistakes(report, show_errors, only)
    if not all(bar.reached(report) for bar in bars):
        raise typer.Exit(EXIT_FAILED)


def all_families() -> RuleBook:
    """A policy under which every detector that ships with the agent runs, none with precedence over another."""
    families = dict.fromkeys(rule.family.value for rule in bundled_rules())
    text = (
        "schema_version: 1\nid: evaluation\nguardrails:\n"
        f"  - {{id: everything, detect: [{', '.join(families)}], action: alert}}\n"
    )
    return RuleBook(load(text, source="the evaluation's own policy", known=known_names()))


def measured(rules: RuleBook, folder: Path, family: Family | None = None) -> Report:
    """The figures of a rule book on the rows of a folder. Raises ConfigError, ContentError."""
    rows = list(_rows(folder))
    looked_for = {rule.family for rule in rules.scanner.rules}
    scoring = Scoring(looked_for if family is None else {family})
    with Progress(console=err(), transient=True, disable=not sys.stderr.isatty()) as progress:
        for row in progress.track(rows, description="scanning"):
            scoring.add(row, rules.scan(row.text, untrusted=True))
    return scoring.report()


def _rows(folder: Path) -> Iterator[Row]:
    files = sorted(folder.rglob("*.jsonl")) if folder.is_dir() else [folder]
    if not files:
        raise ConfigError(
            f"no .jsonl file below {folder}", hint="docs/guardrails.md tells how to make the sets."
        )
    for file in files:
        name = file.relative_to(folder).as_posix() if folder.is_dir() else file.name
        try:
            with file.open("rb") as lines:
                for number, line in enumerate(iter(lambda f=lines: f.readline(MAX_LINE + 1), b""), start=1):  # type: ignore[misc]
                    if line.strip():
                        yield parse_row(_decoded(line, name, number), file=name, number=number)
        except OSError as error:
            raise ConfigError(f"cannot read {file}: {error.strerror}") from error


def _decoded(line: bytes, name: str, number: int) -> str:
    if len(line) > MAX_LINE:
        raise ContentError(f"{name}:{number}: the row is longer than {MAX_LINE} bytes")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(f"{name}:{number}: not UTF-8 (byte {error.start})") from None


def plain(report: Report, bars: list[Bar], errors: int = 0, only: str = "") -> dict[str, object]:
    """The report as JSON."""
    found: dict[str, object] = {
        "rows": report.rows,
        "families": {family.value: _plain_family(score) for family, score in report.families.items()},
        "bars": [
            {
                "name": bar.name,
                "bound": bar.bound,
                "figure": bar.figure(report),
                "reached": bar.reached(report),
            }
            for bar in bars
        ],
    }
    if errors:
        found["mistakes"] = [asdict(mistake) for mistake in _chosen(report, errors, only)]
    return found


def _plain_family(score: FamilyScore) -> dict[str, object]:
    return {
        "metrics": {name: score.metric(name) for name in METRICS},
        "level": "text" if score.by_text else "span",
        "rows": score.rows,
        "hard_negatives": {"rows": score.negatives, "alarmed": score.alarmed},
        "benign": {"rows": score.benign, "alarmed": score.benign_alarmed, "findings": score.benign_findings},
        "spans": _plain_part(score.spans),
        "texts": _plain_part(score.texts),
        "evasions": _plain_part(score.evasions),
        "types": {name: _plain_part(part) for name, part in sorted(score.types.items())},
        "contexts": {name: _plain_part(part) for name, part in sorted(score.contexts.items())},
        "variants": {name: _plain_part(part) for name, part in sorted(score.variants.items())},
        "evasion_contexts": {
            name: _plain_part(part) for name, part in sorted(score.evasion_contexts.items())
        },
        "false_alarms_by_rule": dict(score.false_rules.most_common()),
    }


def _plain_part(part: Part) -> dict[str, object]:
    return {**asdict(part), "precision": part.precision, "recall": part.recall, "f1": part.f1}


def _show(report: Report, bars: list[Bar]) -> None:
    console = out()
    table = Table(
        "family", "rows", "spans", "precision", "recall", "F1", "typed", "covered", "alarmed hard negatives",
        "benign rows", "alarms per 1,000", "evasions found", box=None, pad_edge=False,
    )  # fmt: skip
    for family, score in report.families.items():
        part, evasions = score.headline, score.evasions
        table.add_row(
            f"{family.value}{' (texts)' if score.by_text else ''}",
            str(score.rows), str(part.gold), _figure(part.precision), _figure(part.recall), _figure(part.f1),
            _figure(score.metric("typed")), _figure(score.metric("covered")),
            f"{score.alarmed}/{score.negatives} {_percent(score.metric('false_alarms'))}",
            str(score.benign), _figure(score.metric("benign"), digits=1),
            f"{evasions.hits}/{evasions.gold}",
        )  # fmt: skip
    console.print(table)
    for family, score in report.families.items():
        _show_parts(console, f"{family.value}: worst types", _worst(score.types))
        _show_parts(console, f"{family.value}: by context", _worst(score.contexts, most=60))
        _show_parts(console, f"{family.value}: by variant", _worst(score.variants, most=60))
        _show_parts(console, f"{family.value}: evasions", _worst(score.evasion_contexts))
        if score.false_rules:
            rules = ", ".join(f"{escape(rule)} {count}" for rule, count in score.false_rules.most_common(12))
            console.print(f"\n[bold]{family.value}: rules with false alarms[/]  {rules}")
    if bars:
        _show_bars(console, report, bars)


def _worst(parts: dict[str, Part], *, most: int = _WORST) -> list[tuple[str, Part]]:
    """Those with most mistakes first; those without any are left out."""
    wrong = [(name, part) for name, part in parts.items() if part.hits < part.gold or part.false]
    return sorted(wrong, key=lambda each: (each[1].hits - each[1].gold - each[1].false, each[0]))[:most]


def _show_parts(console: Console, title: str, parts: list[tuple[str, Part]]) -> None:
    if not parts:
        return
    table = Table(title, "spans", "missed", "false alarms", "recall", "precision", box=None, pad_edge=False)
    for name, part in parts:
        table.add_row(
            escape(name or "-"),
            str(part.gold),
            str(part.gold - part.hits),
            str(part.false),
            _figure(part.recall),
            _figure(part.precision),
        )
    console.print()
    console.print(table)


def _show_bars(console: Console, report: Report, bars: list[Bar]) -> None:
    table = Table("bar", "", "wanted", "is", "", box=None, pad_edge=False)
    for bar in bars:
        verdict = "[green]reached[/]" if bar.reached(report) else "[red]missed[/]"
        sign = "at most" if bar.at_most else "at least"
        table.add_row(bar.name, sign, f"{bar.bound:g}", _figure(bar.figure(report)), verdict)
    console.print()
    console.print(table)


def _chosen(report: Report, count: int, only: str) -> Iterator[Mistake]:
    """Of each family and fault the first `count`, spread over types, evasions last."""
    fitting = [
        each for each in report.mistakes if only in each.type or only in each.context or only in each.rule
    ]
    for family in report.families:
        for fault in Fault:
            mine = [each for each in fitting if each.family is family and each.fault is fault]
            seen: Counter[tuple[str, bool]] = Counter()
            ranks = []
            for place, each in enumerate(mine):
                group = (each.type, each.kind is Kind.EVASION)
                seen[group] += 1
                ranks.append((group[1], seen[group], place))
            yield from (mine[place] for _, _, place in sorted(ranks)[:count])


def _show_mistakes(report: Report, count: int, only: str) -> None:
    console = out()
    console.print()
    for each in _chosen(report, count, only):
        what = each.fault.value + (f" by {escape(each.rule)}" if each.rule else "")
        evasion = " (evasion)" if each.kind is Kind.EVASION else ""
        console.print(
            f"[bold]{each.family.value}/{escape(each.type)}[/] {what}{evasion}"
            f"  [dim]{escape(each.place)} {escape(each.row)} {escape(each.context)}[/]",
            emoji=False,
        )
        console.print(
            f"  [dim]{_line(each.before)}[/][reverse]{_line(each.value)}[/][dim]{_line(each.after)}[/]",
            soft_wrap=True,
            emoji=False,
        )


def _line(text: str, most: int = 160) -> str:
    """Text on one line, control characters escaped, the middle of what is long left out."""
    shown = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"')
    if len(shown) > most:
        shown = f"{shown[: most // 2]} … {shown[-most // 2 :]}"
    return escape(shown)


def _figure(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"({value:.1%})"

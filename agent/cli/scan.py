"""`drawbridge scan`: what the guardrails would find in a text, offline."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.markup import escape
from rich.table import Table

from agent.cli import explanation
from agent.cli.console import explains_errors, out, settings_from
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import ConfigError, ContentError
from agent.gateway.policy_file import PolicyFile
from agent.inspection import RuleBook
from agent.inspection.documents import count_findings
from agent.inspection.rules import where_of
from agent.inspection.verdicts import Tally
from agent.model.content import Role, Slot
from agent.model.decision import Action
from agent.model.findings import Finding
from agent.policy import Subject

MAX_TEXT = 64 * 1024 * 1024
"""The longest text, in characters: as a file, or as a line of `--json`."""


@explains_errors
def scan(
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="A file; '-' or nothing: standard input.")
    ] = "-",
    *,
    policy: Annotated[Path | None, typer.Option(help=DEFAULT)] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help='One JSON object a line in, {"id","text"}, and one out: {"id","findings","decision"}.',
        ),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="What of a rule matched, who decides, and what was nearly a finding."),
    ] = False,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="With --explain: show values in full. Mind where that ends up.")
    ] = False,
) -> None:
    """Scan text with the guardrails of a policy, without any agent running.

    Offsets are character indices (Python str). The decision is the one on a prompt.
    """
    path = policy_in_force(settings_from(), policy)
    rules = PolicyFile(path).rules
    with _opened(file) as stream:
        if as_json:
            for line in _results(rules, stream, explain=explain):
                sys.stdout.write(line + "\n")
        elif explain:
            _show_explained(rules, _limited(stream.read(MAX_TEXT + 1)), reveal=reveal)
        else:
            _show(rules, _limited(stream.read(MAX_TEXT + 1)))


def judged(rules: RuleBook, text: str) -> tuple[tuple[Finding, ...], Action]:
    """What the rules find in a prompt, and what the policy does about it."""
    tally = Tally(rules.scope(Subject(host="", size=len(text)), ref="-"))
    count_findings((Slot(address=((),), role=Role.USER, text=text),), tally, where_of)
    return rules.scan(text, untrusted=True), tally.decision().action


def _results(rules: RuleBook, stream: TextIO, *, explain: bool = False) -> Iterator[str]:
    lines = iter(lambda: _limited(stream.readline(MAX_TEXT + 1)), "")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            name, text = row["id"], row["text"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ContentError(f'line {number} is no JSON object with "id" and "text"') from None
        if not isinstance(text, str):
            raise ContentError(f'line {number}: "text" must be a string')
        findings, action = judged(rules, text)
        found: dict[str, object] = {"findings": [_plain(finding) for finding in findings]}
        if explain:
            found = _explained(rules, text)
        yield json.dumps({"id": name, **found, "decision": action.word}, ensure_ascii=False)


def _explained(rules: RuleBook, text: str) -> dict[str, object]:
    findings, misses = explanation.explain(rules, text)
    return {
        "findings": [{**_plain(each.finding), **explanation.plain(each)} for each in findings],
        "near_misses": [explanation.plain_account(miss) for miss in misses],
    }


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "family": finding.family.value,
        "type": finding.type,
        "rule": finding.rule,
        "start": finding.start,
        "end": finding.end,
    }


def _show_explained(rules: RuleBook, text: str, *, reveal: bool) -> None:
    findings, misses = explanation.explain(rules, text)
    explanation.show(out(), text, findings, misses, reveal=reveal)
    out().print(_verdict(len(findings), judged(rules, text)[1]))


def _verdict(count: int, action: Action) -> str:
    counted = "1 finding" if count == 1 else f"{count} findings"
    return f"{counted}; as a prompt this would be: [bold]{action.word}[/]"


def _show(rules: RuleBook, text: str) -> None:
    findings, action = judged(rules, text)
    if findings:
        table = Table("line", "column", "family", "type", "rule", "length", box=None, pad_edge=False)
        for finding in findings:
            line = text.count("\n", 0, finding.start) + 1
            column = finding.start - (text.rfind("\n", 0, finding.start) + 1) + 1
            size = finding.end - finding.start
            table.add_row(
                str(line), str(column), finding.family.value, finding.type, escape(finding.rule), str(size)
            )
        out().print(table)
    out().print(_verdict(len(findings), action))


@contextmanager
def _opened(file: str) -> Iterator[TextIO]:
    with ExitStack() as held:
        try:
            raw = sys.stdin.buffer if file == "-" else held.enter_context(Path(file).open("rb"))
        except OSError as error:
            raise ConfigError(f"cannot read {file}: {error.strerror}") from error
        # line ends as they are, so that offsets are those of the file
        yield io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline="")


def _limited(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ContentError(f"the text is longer than {MAX_TEXT} characters", hint="scan it in parts")
    return text

"""`drawbridge explain`: why an exchange was treated as it was, and how to go on.

Reads the audit trail and the policy in force. A reason (`--justify`) and a complaint (`--false-positive`) are put on
record in the state directory, where the running agent finds the reasons.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from agent.audit import Trail
from agent.cli.console import as_its_owner, explains_errors, out, say_json, settings_from
from agent.cli.events import decision_text, details
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.cli.reports import Report, found_hits
from agent.errors import AuditError
from agent.gateway.policy_file import PolicyFile
from agent.host.justifications import Justification, justify
from agent.host.paths import StatePaths
from agent.host.records import add_record
from agent.policy.apps import ACCOUNTS_RULE, DEFAULT_RULE
from agent.policy.explanation import what_it_does

MAX_REASON = 500
"""Characters of a reason or note."""

_SHOWN = ("time", "app", "host", "model", "decision", "outcome", "error", "message")


@explains_errors
def explain(
    reference: Annotated[
        str, typer.Argument(metavar="REF", help="The reference that was shown, or an event's id.")
    ],
    *,
    reason: Annotated[
        str | None,
        typer.Option("--justify", metavar="REASON", help="Why what was held back may be sent all the same."),
    ] = None,
    note: Annotated[
        str | None,
        typer.Option("--false-positive", metavar="NOTE", help="Put on record that this is no such data."),
    ] = None,
    policy_file: Annotated[Path | None, typer.Option("--policy", help=DEFAULT)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Explain what was found in an exchange, which guardrail decided, and how to go on."""
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    paths = as_its_owner(StatePaths.under(settings.state_dir))
    event = Trail(paths).show(reference)
    policy = PolicyFile(policy_in_force(settings, policy_file)).rules.policy
    report = Report(event=event, policy=policy, hits=tuple(found_hits(event)))
    if reason is not None:
        _justify(paths, report, _words(reason, "--justify"))
    if note is not None:
        _complain(paths, report, _words(note, "--false-positive"))
    if as_json:
        say_json(_plain(report))
        return
    if reason is None and note is None:
        _show(report)
    if reason is not None:
        # how long is the policy's matter: only the one that asked is known to say it right
        time_left = f" for {policy.ask.minutes} minutes" if report.same_policy else ""
        out().print(
            f"[green]ok[/] on record: what was found in {report.ref} may be sent{time_left}. "
            "Repeat the request; its event will hold your reason."
        )
    if note is not None:
        out().print(f"[green]ok[/] on record in {escape(str(paths.feedback))}. This mends the policy:")
        out().print(report.exception, markup=False)


def _words(text: str, option: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > MAX_REASON:
        raise typer.BadParameter(f"write a reason of at most {MAX_REASON} characters", param_hint=option)
    return words


def _justify(paths: StatePaths, report: Report, reason: str) -> None:
    terminal = sys.stdin.isatty()
    if report.policy.ask.terminal and not terminal:
        raise AuditError(
            "a reason counts only if it is given at a terminal",
            hint="This is for a person to decide: run the command yourself, in a terminal of your own.",
        )
    if not report.asked:
        raise AuditError(
            f"{report.ref} asks for no reason: it was decided to {report.event.row.decision or 'do nothing'}",
            hint="Only what a guardrail with the action 'ask' held back can be justified. Ask your IT team.",
        )
    given = Justification(
        at=time.time(), event=report.event.row.id, reason=reason, findings=report.asked, terminal=terminal
    )
    justify(paths.justifications, given)


def _complain(paths: StatePaths, report: Report, note: str) -> None:
    if not report.hits:
        raise AuditError(
            f"nothing was found in {report.ref}", hint=f"See: drawbridge audit show {report.ref}"
        )
    add_record(
        paths.feedback,
        {
            "at": time.time(),
            "event": report.event.row.id,
            "note": note,
            "app": report.event.row.app,
            "findings": [
                {"type": hit.what, "rule": hit.rule, "guardrail": hit.guardrail, "where": hit.where}
                for hit in report.hits
            ],
        },
    )


def _show(report: Report) -> None:
    facts = dict(details(report.event))
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text("ref", style="dim"), Text(report.ref))
    for name in _SHOWN:
        if name in facts:
            table.add_row(Text("why" if name == "message" else name, style="dim"), Text(facts[name]))
    out().print(table)
    if report.hits:
        out().print()
        for found in _found(report):
            out().print(found)
    out().print()
    for line in (*_reasons(report), *_ways_on(report)):
        out().print(line, markup=False)


def _found(report: Report) -> Iterator[Text]:
    for hit in report.hits:
        action, where = decision_text(hit.action), hit.where.replace("_", " ")
        severity = f", severity {hit.severity}" if hit.severity else ""
        line = Text.assemble(
            f"{hit.count} × ",
            (hit.what, "bold"),
            f" in the {where}: ",
            action,
            severity,
            f", guardrail {hit.guardrail}",
        )
        if hit.shadow:
            line.append(" (on trial, not applied)")
        if hit.justification:
            line.append(f" (because: {hit.justification})")
        yield line


def _reasons(report: Report) -> Iterator[str]:
    if report.event.row.decision and not report.same_policy:
        yield "It was another policy that decided; what follows is about the one in force now (see --policy)."
    guardrails = {rule.id: rule for rule in report.policy.guardrails}
    access = {rule.id for rule in report.policy.access}
    programs = {rule.id: rule.note for rule in report.policy.apps.rules}
    for name in report.deciding:
        if name in guardrails:
            yield f"Decided by guardrail '{name}': it {what_it_does(guardrails[name])}."
            if guardrails[name].description:
                yield f"  {guardrails[name].description}"
        elif name in access:
            yield f"Decided by access rule '{name}'. See: drawbridge policy explain --host {report.event.row.host}"
        elif name in programs or name in (DEFAULT_RULE, ACCOUNTS_RULE):
            yield f"Decided about the program, before anything was read, by '{name}' of apps."
            if note := programs.get(name):
                yield f"  {note}"
            row = report.event.row
            yield f"  See: drawbridge apps explain {shlex.quote(row.app)} --surface {row.surface}"
        else:
            yield f"Decided by '{name}'."
    if not report.deciding:
        yield "No rule of the policy decided anything here."


def _ways_on(report: Report) -> Iterator[str]:
    if report.asked:
        yield "To send it all the same, say why, then repeat the request:"
        yield f'  drawbridge explain {report.ref} --justify "reason"'
    if report.hits:
        yield "If this is no such data, put that on record and see how to mend the policy:"
        yield f'  drawbridge explain {report.ref} --false-positive "what it is"'


def _plain(report: Report) -> dict[str, object]:
    return {
        "id": report.event.row.id,
        "ref": report.ref,
        "decision": report.event.row.decision,
        "decided_by": list(report.deciding),
        "policy_changed": not report.same_policy,
        "can_be_justified": bool(report.asked),
        "found": [
            {
                "type": hit.what,
                "rule": hit.rule,
                "guardrail": hit.guardrail,
                "where": hit.where,
                "action": hit.action,
                "count": hit.count,
                "severity": hit.severity,
                "shadow": hit.shadow,
                "justification": hit.justification,
            }
            for hit in report.hits
        ],
        "exception": report.exception if report.hits else "",
    }

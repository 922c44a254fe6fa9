"""`drawbridge policy`: check a policy, and ask it which rule decides and why."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from agent.catalog.paths import normalise
from agent.cli.console import EXIT_FAILED, explains_errors, out, say_json, settings_from
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.gateway.policy_file import PolicyFile, read_rules, read_sidecar
from agent.inspection import RuleBook
from agent.inspection.examples import Trial
from agent.inspection.sidecars import run_sidecar
from agent.policy import Destination, Subject, access, approval, json_schema
from agent.policy import explain as explain_policy
from agent.policy.source import dotted

app = typer.Typer(help="Policies: check them, and see how they decide.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]

_COUNTED = ("access_rules", "guardrails", "detectors", "packs", "providers", "virtual_keys")
_UNGUARDED = (
    "it has no guardrails, so secrets and personal data pass as they are; this takes out keys: "
    "guardrails: [{id: keys, detect: [secret], action: redact}]"
)


def _counted(name: str, facts: Mapping[str, Any]) -> str:
    words, number = name.replace("_", " "), facts[name]
    return f"{number} {words.removesuffix('s') if number == 1 else words}"


@app.command()
@explains_errors
def check(file: Annotated[Path, typer.Argument(help="Policy file.")], *, as_json: AsJson = False) -> None:
    """Read and compile a policy, and the files that go with it, as the agent would.

    Exit status 1, with every mistake and its line, if it is bad. Notes say what of a rule pack cannot apply to prompts.
    """
    rules = PolicyFile(file).rules
    policy = rules.policy
    facts: dict[str, Any] = {
        "id": policy.id,
        "revision": policy.revision,
        "mode": policy.mode.value,
        "digest": rules.digest,
        "access_rules": len(policy.access),
        "guardrails": len(policy.guardrails),
        "detectors": len(policy.detectors),
        "packs": len(policy.packs),
        "providers": len(policy.providers),
        "virtual_keys": len(policy.accounts.virtual_keys) if policy.accounts else 0,
        "catalog_rows": len(policy.catalog),
        "notes": [*map(str, rules.notes), *([] if policy.guardrails else [_UNGUARDED])],
    }
    if as_json:
        say_json(facts)
    else:
        out().print(
            f"[green]ok[/] {escape(str(file))}: policy [bold]{policy.id}[/] revision {policy.revision}, "
            f"{policy.mode.value}; " + ", ".join(_counted(name, facts) for name in _COUNTED)
        )
        for note in facts["notes"]:
            out().print(f"[yellow]note[/] {escape(note)}")


@app.command()
@explains_errors
def explain(
    *,
    host: Annotated[str, typer.Option(help="Host the program talks to.")],
    path: Annotated[str, typer.Option(help="Request path.")] = "/",
    app_id: Annotated[str, typer.Option("--app", help="Catalog id of the program.")] = "",
    model: Annotated[str, typer.Option(help="Model it asks for.")] = "",
    user: Annotated[str, typer.Option(help="Account that runs the program.")] = "",
    size: Annotated[int, typer.Option(min=0, help="Characters of the request's texts.")] = 0,
    policy: Annotated[Path | None, typer.Option(help=DEFAULT)] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happens to such a request: decrypted or not, by which rule it is allowed, which guardrails look."""
    if not host.strip():
        raise typer.BadParameter("write the name of a host", param_hint="--host")
    source = PolicyFile(policy_in_force(settings_from(), policy))
    subject = Subject(host=host.lower(), path=normalise(path), app=app_id, model=model, user=user, size=size)
    report = _report(source.rules, subject)
    if as_json:
        say_json(report)
        return
    table = Table.grid(padding=(0, 2))
    for name in ("host", "surface", "traffic", "dialect", "upstream", "program", "access"):
        table.add_row(f"[dim]{name}[/]", escape(str(report[name])))
    out().print(table)
    steps = report["steps"]
    assert isinstance(steps, list)
    if steps:
        rules = Table("section", "rule", "applies", "why", box=None, pad_edge=False)
        for step in steps:
            mark = "[bold green]yes[/]" if step["matched"] else "[dim]no[/]"
            rules.add_row(step["section"], escape(step["rule"]), mark, escape(step["why"]))
        out().print(rules)


@app.command("test")
@explains_errors
def try_examples(
    file: Annotated[Path, typer.Argument(help="Policy file.")], *, as_json: AsJson = False
) -> None:
    """Try every example: those of the policy's own rules, and those beside it in NAME.examples.yaml.

    Exit status 1 where one fails.
    """
    path = file / "policy.yaml" if file.is_dir() else file
    rules = read_rules(path, examples=False)
    sidecar = read_sidecar(path)
    trials = [*rules.trials(), *(run_sidecar(rules, sidecar) if sidecar is not None else ())]
    failed = sum(not trial.ok for trial in trials)
    if as_json:
        say_json({"passed": len(trials) - failed, "failed": failed, "examples": list(map(_trial, trials))})
    else:
        _show_trials(trials, failed)
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _trial(trial: Trial) -> dict[str, object]:
    return {
        "example": dotted(trial.location),
        "about": trial.about,
        "ok": trial.ok,
        "expected": trial.expected,
        "got": trial.got,
        "rule": trial.rule,
    }


def _show_trials(trials: list[Trial], failed: int) -> None:
    if not trials:
        out().print(
            "There are no examples: write 'examples:' in a rule, or a file NAME.examples.yaml beside it."
        )
        return
    table = Table(box=None, pad_edge=False)
    for name in ("", "example", "about", "expected", "got"):
        table.add_column(name, overflow="fold")
    for trial in trials:
        mark = "[green]✓[/]" if trial.ok else "[bold red]✗[/]"
        where = dotted(tuple(step for step in trial.location if step != "examples"))
        table.add_row(mark, *map(escape, (where, trial.about, trial.expected, trial.got)))
    out().print(table)
    count = "1 example" if len(trials) == 1 else f"{len(trials)} examples"
    out().print(f"{count}, [bold]{failed} failed[/]" if failed else f"[green]ok[/] {count}")


@app.command()
@explains_errors
def schema() -> None:
    """Print the JSON Schema of policies."""
    sys.stdout.write(json_schema())


def _report(rules: RuleBook, asked: Subject) -> dict[str, object]:
    found = rules.catalog.found(asked.host, asked.path, app=asked.app)
    surface, endpoint = (found.surface, found.endpoint) if found is not None else (None, None)
    subject = replace(
        asked,
        surface=surface.id if surface else "unknown",
        kind=surface.kind.value if surface else "",
        inference=endpoint is not None,
        destination=Destination(kind=rules.policy.upstream.route.value, host=asked.host),
    )
    given = approval.judge(rules.policy, subject)
    verdict = access.decide(rules.policy, replace(subject, state=given.state.value))
    if surface is None:
        traffic = "tunnelled blindly, never decrypted: the host is not in the catalog"
    elif endpoint is None:
        traffic = "decrypted, passed on unread: not an inference path"
    else:
        traffic = "decrypted and inspected"
    return {
        "host": asked.host,
        "path": asked.path,
        "surface": surface.id if surface else "",
        "traffic": traffic,
        "dialect": endpoint.dialect if endpoint else "",
        "upstream": (given.way or rules.policy.upstream.route).value if endpoint else "native",
        "program": given.state.value
        + (f": blocked by {given.deciding}" if given.stops else "")
        + (" (alert)" if given.alerts else ""),
        "access": ("allowed" if verdict.allowed else "blocked")
        + (f" by rule {verdict.rule_id}" if verdict.rule_id else " (no rule fits)"),
        "steps": [
            {
                "section": step.section,
                "rule": step.rule_id,
                "action": step.action,
                "matched": step.matched,
                "decides": step.decides,
                "why": step.why,
            }
            for step in (explain_policy(rules.policy, subject) if surface is not None else ())
        ],
    }

"""`drawbridge apps`: which programs were seen asking models, what the policy says of them, and why.

Reads the state directory and the policy; works beside a running agent and without one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from agent.catalog import Catalog
from agent.cli.console import as_its_owner, explains_errors, out, say_json, settings_from
from agent.cli.events import clock
from agent.cli.policy_in_force import DEFAULT, policy_in_force
from agent.errors import ConfigError
from agent.gateway.policy_file import PolicyFile
from agent.host.appearances import AppearanceFile
from agent.host.paths import StatePaths
from agent.inspection import RuleBook
from agent.model.app import Asker, Evidence
from agent.model.appearance import Appearance
from agent.model.identity import Identity
from agent.model.login import NO_LOGIN, Login, LoginKind, Tenancy
from agent.policy import Subject, approval
from agent.policy.apps import State
from agent.policy.explanation import app_steps, consequences

app = typer.Typer(
    help="Programs that ask models, and what the policy says of them.", invoke_without_command=True
)

_STYLES = {State.APPROVED: "green", State.PENDING: "bold yellow", State.DENIED: "bold red"}
_VOUCHED = (Evidence.PROCESS, Evidence.SIGNED)
_ORDER = (State.PENDING, State.DENIED, State.APPROVED)

PolicyOption = Annotated[Path | None, typer.Option("--policy", help=DEFAULT)]
StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.callback()
@explains_errors
def list_apps(
    context: typer.Context,
    *,
    pending: Annotated[bool, typer.Option("--pending", help="Only those that wait for a decision.")] = False,
    policy_file: PolicyOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """List the programs that were seen asking models, those that wait for a decision first.

    The state is what the policy says now.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    seen = AppearanceFile(as_its_owner(StatePaths.under(settings.state_dir)).appearances).read()
    rules = PolicyFile(policy_in_force(settings, policy_file)).rules
    now = datetime.now().astimezone()
    judged = [
        (each, approval.judge(rules.policy, subject_of(each, rules.catalog, now)).state) for each in seen
    ]
    if pending:
        judged = [each for each in judged if each[1] is State.PENDING]
    judged.sort(key=lambda each: _ORDER.index(each[1]))
    if as_json:
        say_json([_plain(each, state) for each, state in judged])
    elif judged:
        _show(judged)
    else:
        out().print("Nothing waits." if pending and seen else "No program was seen asking a model yet.")


@app.command()
@explains_errors
def explain(
    name: Annotated[
        str, typer.Argument(metavar="APP", help="Catalog id of the program; '' for one that is not known.")
    ],
    *,
    surface: Annotated[str, typer.Option(help="Id of the surface it asks.")] = "",
    host: Annotated[str, typer.Option(help="Host it asks, where the surface has several.")] = "",
    user: Annotated[str, typer.Option(help="Account of this machine that runs it.")] = "",
    group: Annotated[list[str] | None, typer.Option(help="Group of the user; may be repeated.")] = None,
    signed_in: Annotated[str, typer.Option(help="Name of the sign-in; '' for nobody.")] = "",
    device: Annotated[str, typer.Option(help="Id of the machine.")] = "",
    evidence: Annotated[Evidence, typer.Option(help="How the program is known.")] = Evidence.PROCESS,
    login: Annotated[LoginKind, typer.Option(help="What it shows to say who it is.")] = LoginKind.UNKNOWN,
    tenancy: Annotated[Tenancy, typer.Option(help="Whose account it is.")] = Tenancy.UNKNOWN,
    plan: Annotated[str, typer.Option(help="Plan of the account.")] = "",
    policy_file: PolicyOption = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show which rule of the policy decides about a program, and why those before it do not."""
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    rules = PolicyFile(policy_in_force(settings, policy_file)).rules
    asked = _asked(rules, name, surface=surface, host=host)
    now = datetime.now().astimezone()
    subject = Subject(
        host=asked.host,
        surface=asked.surface,
        kind=asked.kind,
        app=name,
        asker=Asker(app=name, evidence=evidence, seen=name if evidence in _VOUCHED else ""),
        user=user,
        groups=tuple(group or ()),
        identity=Identity(subject=signed_in, name=signed_in),
        device=device,
        login=Login(kind=login, tenancy=tenancy, plan=plan),
        hour=now.hour,
        weekday=now.isoweekday(),
    )
    given = approval.judge(rules.policy, subject)
    steps = app_steps(rules.policy, subject)
    follows = list(consequences(given))
    if as_json:
        say_json(
            {
                "app": name,
                "surface": subject.surface,
                "state": given.state.value,
                "rule": given.rule_id,
                "action": "block" if given.stops else "alert" if given.alerts else "allow",
                "follows": follows,
                "steps": [
                    {"rule": step.rule_id, "state": step.action, "matched": step.matched, "why": step.why}
                    for step in steps
                ],
            }
        )
        return
    where = f" on {subject.surface}" if subject.surface != "unknown" else ""
    out().print(
        Text.assemble(
            (name or "a program that is not known", "bold"),
            where,
            ": ",
            _state(given.state),
            f", by {given.rule_id}",
        )
    )
    for each in follows:
        out().print(f"  {each}", markup=False)
    if not steps:
        out().print("  The policy has nothing against any program.")
        return
    table = Table("rule", "state", "applies", "why", box=None, pad_edge=False, header_style="dim")
    for step in steps:
        mark = "[bold green]yes[/]" if step.matched else "[dim]no[/]"
        table.add_row(escape(step.rule_id), _state(State(step.action)), mark, escape(step.why))
    out().print(table)


def subject_of(seen: Appearance, catalog: Catalog, now: datetime) -> Subject:
    """Who would ask there now, as far as it was noticed: with the account that was seen last."""
    return Subject(
        host=seen.host,
        surface=seen.surface,
        kind=_kind(catalog, seen.surface),
        app=seen.app,
        asker=seen.asker,
        user=seen.user,
        login=seen.accounts[-1] if seen.accounts else NO_LOGIN,
        hour=now.hour,
        weekday=now.isoweekday(),
    )


def _asked(rules: RuleBook, name: str, *, surface: str, host: str) -> Subject:
    """Whom it asks. Raises ConfigError for a surface that there is not."""
    catalog = rules.catalog
    if not surface:
        found = catalog.surface(host) if host else None
        return Subject(
            host=host, app=name, surface=found.id if found else "unknown", kind=found.kind if found else ""
        )
    row = next((each for each in catalog.surfaces if each.id == surface), None)
    if row is None:
        raise ConfigError(
            f"there is no surface {surface[:64]!r}",
            hint=f"known: {', '.join(each.id for each in catalog.surfaces)}",
        )
    exact = next((each for each in row.hosts if "*" not in each and "{" not in each), "")
    return Subject(host=host or exact, app=name, surface=row.id, kind=row.kind)


def _kind(catalog: Catalog, surface: str) -> str:
    return next((each.kind.value for each in catalog.surfaces if each.id == surface), "")


def _show(judged: Iterable[tuple[Appearance, State]]) -> None:
    now = time.time()
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in ("state", "app", "surface", "user", "first seen", "last seen"):
        table.add_column(column, no_wrap=column in ("state", "first seen", "last seen"))
    for column in ("requests", "blocked"):
        table.add_column(column, justify="right")
    table.add_column("accounts", overflow="fold")
    for seen, state in judged:
        table.add_row(
            _state(state),
            Text(seen.name, style="" if seen.app else "italic"),
            Text(seen.surface),
            Text(seen.user),
            clock(seen.first_seen, now=now),
            clock(seen.last_seen, now=now),
            str(seen.requests),
            Text(str(seen.blocked), style="red" if seen.blocked else ""),
            Text(", ".join(map(account, seen.accounts))),
        )
    out().print(table)


def _state(state: State) -> Text:
    return Text(state.value, style=_STYLES[state])


def account(login: Login) -> str:
    """A kind of account, in words."""
    words = [login.tenancy.value, login.plan, login.kind.value.replace("_", " ")]
    return " ".join(word for word in words if word) or "unknown"


def _plain(seen: Appearance, state: State) -> dict[str, object]:
    def moment(at: float) -> str:
        return datetime.fromtimestamp(at).astimezone().isoformat(timespec="seconds")

    return {
        "state": state.value,
        "app": seen.app,
        "program": seen.program,
        "surface": seen.surface,
        "host": seen.host,
        "user": seen.user,
        "first_seen": moment(seen.first_seen),
        "last_seen": moment(seen.last_seen),
        "requests": seen.requests,
        "blocked": seen.blocked,
        "evidence": seen.evidence.value,
        "accounts": [
            {"kind": each.kind.value, "tenancy": each.tenancy.value, "plan": each.plan}
            for each in seen.accounts
        ],
    }

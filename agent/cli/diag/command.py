"""The command itself: gathers, scrubs, packs, and says what is in the archive."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from agent import __version__
from agent.cli.configuration import explained
from agent.cli.console import explains_errors, out, settings_from
from agent.cli.diag.archive import Entry, json_entry, packed
from agent.cli.diag.logs import last_logs
from agent.cli.diag.scrubbing import Scrubber, secret_values
from agent.cli.doctor.checks import Result
from agent.cli.doctor.command import document, examined
from agent.cli.doctor.machinery import Machinery
from agent.cli.self_test.command import report
from agent.cli.self_test.trials import try_all
from agent.errors import DrawbridgeError
from agent.gateway.policy_file import MAX_BYTES, PolicyFile
from agent.host.arrangement import arrangement
from agent.host.files import read_limited, write_atomically
from agent.host.inventory_file import InventoryFile
from agent.host.lasting import lasting_drivers
from agent.host.ownership import as_owner_of
from agent.host.paths import setup_paths
from agent.host.setting_rows import Row
from agent.host.settings import setting_rows
from agent.inspection import RuleBook
from agent.inspection.policy_rules import private_scanner


@explains_errors
def diag(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The archive; drawbridge-diag-TIME.zip by default.")
    ] = None,
    with_policy: Annotated[
        bool, typer.Option("--with-policy", help="The policy's own text, too, without secrets.")
    ] = False,
    inventory: Annotated[
        bool, typer.Option("--inventory", help="Names of the AI software found, not only how many.")
    ] = False,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Run `drawbridge self-test`, too; takes some seconds.")
    ] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="No connection out, and the audit trail is not read through.")
    ] = False,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the agent.")] = None,
) -> None:
    """Put together what helps to find a fault, in an archive that only this account may read.

    It holds no prompt, no answer, no event of the trail and no secret. Look at the list, and into it, before you send
    it.
    """
    settings = settings_from({"state_dir": state_dir and str(state_dir.absolute())})
    machine = Machinery(settings=settings, environ=os.environ, fast=fast)
    # every rule of ours: a policy of one's own may be broken, or look for less
    scrub = Scrubber(private_scanner(), known=secret_values(os.environ), home=str(Path.home()))
    entries = [*_documents(machine, scrub, inventory=inventory), *_logs(machine, scrub)]
    if with_policy:
        entries += _policy_text(machine, scrub)
    if self_test:
        why = "whether the installation is whole"
        entries.append(json_entry("self-test.json", why, scrub.document(report(try_all()))))
    data, inside = packed(entries)
    file = output or Path(f"drawbridge-diag-{time.strftime('%Y%m%d-%H%M%S')}.zip")
    write_atomically(file.absolute(), data)
    _show(file, inside, scrub.removed)


def _documents(machine: Machinery, scrub: Scrubber, *, inventory: bool) -> Iterator[Entry]:
    results: list[Result] = []
    for _, found in examined(machine):
        results += found
    made = {
        "doctor.json": ("every check of drawbridge doctor", document(results)),
        "status.json": ("what the agent says of itself", _status(machine)),
        "settings.json": ("every setting and where it comes from; secrets are masked", _settings(machine)),
        "policy.json": ("which policy, and how many rules of what kind; not their texts", _policy(machine)),
        "changes.json": ("what was changed in the operating system; not the values before", _changes()),
        "inventory.json": ("how much AI software was found", _inventory(machine, names=inventory)),
        "versions.json": ("the system, and the versions of every part", _versions()),
    }
    for name, (why, value) in made.items():
        yield json_entry(name, why, scrub.document(value))


def _logs(machine: Machinery, scrub: Scrubber) -> Iterator[Entry]:
    why = "the last lines of a log, what looks like a secret taken out"
    try:
        with as_owner_of(machine.paths.root):
            found = tuple(last_logs(machine.paths))
    except (DrawbridgeError, PermissionError) as error:
        yield json_entry("logs/unread.json", "why there is no log", {"error": scrub.text(str(error))})
        return
    for name, text in found:
        yield Entry(name=f"logs/{name}.txt", why=why, data=scrub.lines(text).encode("utf-8", "replace"))


def _policy_text(machine: Machinery, scrub: Scrubber) -> Iterator[Entry]:
    if not isinstance(machine.book, PolicyFile):
        return
    data = read_limited(machine.book.path, limit=MAX_BYTES) or b""
    text = scrub.lines(data.decode("utf-8", "replace"))
    yield Entry(name="policy.yaml", why="the policy, as you asked (--with-policy)", data=text.encode())


def _status(machine: Machinery) -> dict[str, Any]:
    status, silent = machine.asked
    if status is None:
        return {"running": False, "silent": silent}
    # a reason was typed by a person
    pause = status["pause"]
    return {**status, "pause": None if pause is None else {"ends_at": pause["ends_at"]}}


def _settings(machine: Machinery) -> dict[str, Any]:
    rows: dict[str, Row] = {row.name: row for row in setting_rows()}
    return explained(machine.settings, rows)


def _policy(machine: Machinery) -> dict[str, Any]:
    book = machine.book
    if not isinstance(book, PolicyFile):
        return {"problem": type(book).__name__}
    return {**_structure(book.rules), "source": str(book.path)}


def _structure(rules: RuleBook) -> dict[str, Any]:
    policy = rules.policy
    return {
        "id": policy.id,
        "revision": policy.revision,
        "digest": rules.digest,
        "mode": policy.mode.value,
        "capture": policy.capture.value,
        "access_rules": Counter(each.action.word for each in policy.access),
        "guardrails": Counter(each.action.word for each in policy.guardrails),
        "detectors": len(policy.detectors),
        "packs": len(policy.packs),
        "providers": len(policy.providers),
        "virtual_keys": len(policy.accounts.virtual_keys) if policy.accounts else 0,
        "catalog_rows": len(policy.catalog),
    }


def _changes() -> dict[str, Any]:
    try:
        places = setup_paths()
        found = arrangement(places, lasting=lasting_drivers(places)).changes()
    except (DrawbridgeError, PermissionError) as error:
        return {"error": str(error)}
    return {"changes": [{"kind": each.kind, "scope": each.scope} for each in found]}


def _inventory(machine: Machinery, *, names: bool) -> dict[str, Any]:
    try:
        with as_owner_of(machine.paths.root):
            found = InventoryFile(machine.paths.inventory).read()
    except (DrawbridgeError, PermissionError) as error:
        return {"error": str(error)}
    counted: dict[str, Any] = {"counts": Counter(each.found.kind.value for each in found)}
    if names:
        counted["names"] = [
            {"kind": each.found.kind.value, "name": each.found.name, "version": each.found.version}
            for each in found
        ]
    return counted


def _versions() -> dict[str, Any]:
    return {
        "drawbridge": __version__,
        "frozen": hasattr(sys, "frozen"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "packages": {each.name: each.version for each in distributions() if each.name},
    }


def _show(file: Path, inside: tuple[Entry, ...], removed: int) -> None:
    table = Table("file", "bytes", "why", box=None, pad_edge=False, header_style="dim")
    for each in inside:
        table.add_row(Text(each.name), Text(str(len(each.data)), justify="right"), Text(each.why))
    out().print(table)
    if removed:
        out().print(Text(f"{removed} places that looked like secrets or personal data were taken out."))
    out().print(
        Text(f"Written to {file}, readable by you only. Look into it before you send it.", style="bold")
    )

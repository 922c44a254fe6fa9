"""`drawbridge ca`: the certificate that programs on this machine are to trust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from rich.markup import escape
from rich.table import Table

from agent.cli import roots, trust
from agent.cli.console import explains_errors, out, say_json, state_paths
from agent.errors import ConfigError, HostError
from agent.host.files import read_limited

app = typer.Typer(help="The certificate authority of this device.", no_args_is_help=True)

_PEM_LIMIT = 1024 * 1024  # bytes; an intermediate with 1,000 hosts has 40 kB

StateDir = Annotated[Path | None, typer.Option(help="State directory of the agent.")]


@app.command()
@explains_errors
def path(*, state_dir: StateDir = None) -> None:
    """Print the path of the root certificate (PEM)."""
    out().print(escape(str(_root(state_dir))), soft_wrap=True)


@app.command()
@explains_errors
def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    state_dir: StateDir = None,
) -> None:
    """Show the root, and the hosts for which its intermediate may sign."""
    root_path = _root(state_dir)
    paths = state_paths({"state_dir": state_dir and str(state_dir.absolute())})
    root = _certificate(root_path)
    hosts: list[str] = []
    expires = ""
    signing = paths.intermediate_certificate
    if paths.company_certificate.exists():
        signing = paths.company_certificate
    if signing.exists():
        intermediate = _certificate(signing)
        constraints = intermediate.extensions.get_extension_for_class(x509.NameConstraints).value
        hosts = [
            str(name.value) for name in constraints.permitted_subtrees or () if isinstance(name, x509.DNSName)
        ]
        expires = intermediate.not_valid_after_utc.isoformat()
    facts = {
        "path": str(root_path),
        "subject": root.subject.rfc4514_string(),
        "sha256": root.fingerprint(hashes.SHA256()).hex(":").upper(),
        "expires": root.not_valid_after_utc.isoformat(),
        "intermediate_expires": expires,
        "may_sign_for": hosts,
    }
    if as_json:
        say_json(facts)
        return
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        text = value if isinstance(value, str) else "\n".join(value)
        table.add_row(f"[dim]{name.replace('_', ' ')}[/]", escape(text))
    out().print(table)


app.command("install")(trust.install_roots)
app.command("uninstall")(trust.uninstall_roots)
app.command("status")(trust.status)
app.command("rotate")(roots.rotate)
app.command("csr")(roots.csr)
app.command("import")(roots.import_)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_limited(path, limit=_PEM_LIMIT) or b"")
    except ValueError as error:
        raise HostError(f"{path} holds no certificate", hint="restore it from a backup") from error


def _root(state_dir: Path | None) -> Path:
    paths = state_paths({"state_dir": state_dir and str(state_dir.absolute())})
    found = paths.roots if paths.company_certificate.exists() else paths.root_certificate
    if not found.exists():
        raise ConfigError(
            f"there is no certificate authority at {found} yet", hint="it is made by: drawbridge up"
        )
    return found

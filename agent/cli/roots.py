"""`drawbridge ca rotate`, `csr` and `import`: what signs on this device, changed for another."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from rich.markup import escape

from agent.cli import trust
from agent.cli.console import explains_errors, out, settings_from
from agent.cli.policy_in_force import policy_in_force
from agent.errors import ConfigError, HostError
from agent.gateway.policy_file import read_rules
from agent.host.certificates import HostNames, is_dns_name, permitted_names
from agent.host.company import Company, chain_above, check, keep, load_company, named, our_key, request
from agent.host.device_root import OVERLAP_DAYS, Rotation, Stage, finish, load_root, prepare, rotation, switch
from agent.host.files import read_limited, write_atomically
from agent.host.key_seal import KeyFiles, key_seal
from agent.host.ownership import as_owner_of
from agent.host.pairs import Pair, load_certificate, pem_text, utc_now
from agent.host.paths import StatePaths
from agent.host.roots import root_store
from agent.host.runfile import read_runfile
from agent.host.trust.probe import ask_openssl, sample_of_company
from agent.host.trusted_roots import publish_roots, trusted_roots

_PEM_LIMIT = 1024 * 1024  # bytes
_PUBLIC = 0o644


@explains_errors
def rotate(
    *,
    now: Annotated[
        bool, typer.Option("--now", help="Let the new root sign, whether or not this system trusts it yet.")
    ] = False,
    ends: Annotated[bool, typer.Option("--finish", help="Forget the root before.")] = False,
    overlap: Annotated[
        int, typer.Option(help="Days for which the root before stays trusted.", min=1, max=365)
    ] = OVERLAP_DAYS,
    state_dir: trust.StateDir = None,
) -> None:
    """Put a new root in the place of the old, both trusted for a time.

    The first call makes the new root and has it trusted where Drawbridge manages that. Once the system trusts it, that
    call or the next lets it sign. --finish, or the end of the overlap, forgets the old one.
    """
    paths = trust.paths_of(state_dir)
    before = trust.roots_before(paths)
    with as_owner_of(paths.root):
        files = KeyFiles(key_seal())
        if load_company(paths, files) is not None:
            raise ConfigError(
                "a company's intermediate signs on this device: its root is not ours to replace",
                hint="Ask for another certificate: drawbridge ca csr",
            )
        if load_root(paths, files) is None:
            raise ConfigError(f"there is no root at {paths.ca} yet", hint="it is made by: drawbridge up")
        found = rotation(paths, utc_now())
        if ends:
            _end(paths, found)
        elif found.stage is Stage.SWITCHED:
            raise ConfigError(
                f"the root before is still trusted, until {found.until:%Y-%m-%d}",
                hint="End that first: drawbridge ca rotate --finish",
            )
        else:
            following = prepare(paths, files, hostname=socket.gethostname(), now=utc_now())
            publish_roots(paths, trusted_roots(paths, utc_now()))
    if ends:
        trust.follow(paths, before)
        _tell_engine(paths)
        return
    out().print(f"the next root: [bold]{escape(following.subject.rfc4514_string())}[/]")
    trust.follow(paths, before)
    if not now and not _system_trusts(following):
        out().print(
            f"It signs nothing before this system trusts it. Deploy {escape(str(paths.next_certificate))}, then run "
            "[bold]drawbridge ca rotate[/] again (or with --now)."
        )
        return
    with as_owner_of(paths.root):
        switch(paths, KeyFiles(key_seal()), now=utc_now(), overlap=timedelta(days=overlap))
        publish_roots(paths, trusted_roots(paths, utc_now()))
    out().print(f"[green]It signs from now on.[/] The root before stays trusted for {overlap} days.")
    _tell_engine(paths)


@explains_errors
def csr(
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File for the request; default: print it.")
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(help="A further host to ask for, such as one of a region that is not used yet."),
    ] = None,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default: the one in force.")] = None,
    state_dir: trust.StateDir = None,
) -> None:
    """Ask the company's PKI for an intermediate of this device, bound to the hosts of the catalog."""
    paths = trust.paths_of(state_dir)
    permitted = _wanted(paths, policy, host or ())
    with as_owner_of(paths.root):
        paths.prepare()
        asked = request(paths, KeyFiles(key_seal()), hostname=socket.gethostname(), permitted=permitted)
    text = asked.public_bytes(serialization.Encoding.PEM)
    if output is None:
        out().print(text.decode(), end="")
        return
    write_atomically(output.absolute(), text, mode=_PUBLIC)
    out().print(f"{escape(str(output))}: a request for {len(permitted)} names and what is below them")


@explains_errors
def import_(
    file: Annotated[Path, typer.Argument(help="The certificate that the company issued (PEM).")],
    *,
    chain: Annotated[
        Path | None, typer.Option(help="What issued it, up to the company's root (PEM).")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Take it although it does not permit every host of the catalog.")
    ] = False,
    policy: Annotated[Path | None, typer.Option(help="Policy file; default: the one in force.")] = None,
    state_dir: trust.StateDir = None,
) -> None:
    """Sign with an intermediate that the company has issued for this device's request."""
    paths, now = trust.paths_of(state_dir), utc_now()
    given = _certificates(file)
    before = trust.roots_before(paths)
    certificate, others = given[0], [*given[1:], *(_certificates(chain) if chain else ())]
    lacking = check(certificate, HostNames(_hosts(policy)).named, now=now)
    if lacking and not partial:
        raise ConfigError(
            f"the certificate does not permit {named(lacking)}",
            hint="Have it issued from a new request (drawbridge ca csr), or take it with --partial: what it does not "
            "permit is not decrypted.",
        )
    above = chain_above(certificate, [*others, *_system_roots()], now=now)
    with as_owner_of(paths.root):
        paths.prepare()
        files = KeyFiles(key_seal())
        company = Company(
            pair=Pair.of(certificate, our_key(paths, files, certificate)),
            above=above,
        )
        _try(company)
        keep(paths, files, company)
        publish_roots(paths, trusted_roots(paths, now))
    out().print(f"[green]imported[/] {escape(certificate.subject.rfc4514_string())}")
    out().print(f"under {escape(company.root.subject.rfc4514_string())}")
    out().print(f"valid until {company.pair.end:%Y-%m-%d %H:%M} UTC; ask for the next one before that")
    if lacking:
        out().print(f"[yellow]not decrypted:[/] {escape(named(lacking))}")
    trust.follow(paths, before)
    _tell_engine(paths)


def _end(paths: StatePaths, found: Rotation) -> None:
    match found.stage:
        case Stage.PREPARED:
            raise ConfigError(
                "the next root does not sign yet", hint="Let it: drawbridge ca rotate (or with --now)"
            )
        case Stage.SWITCHED:
            finish(paths)
            out().print("the root before is forgotten")
        case Stage.NONE:
            finish(paths)
            out().print("there is no root before")
    publish_roots(paths, trusted_roots(paths, utc_now()))


def _wanted(paths: StatePaths, policy: Path | None, further: tuple[str, ...] | list[str]) -> frozenset[str]:
    """The subtrees to ask for: the catalog's, what its templates have met, and what somebody names."""
    names = HostNames(_hosts(policy))
    met: set[str] = set()
    for file in (paths.company_certificate, paths.intermediate_certificate):
        with suppress(HostError, PermissionError):
            if (certificate := load_certificate(file)) is not None:
                met.update(name for name in permitted_names(certificate) if names.shaped(name))
    for name in further:
        if not is_dns_name(name.lower()):
            raise ConfigError(f"{name!r} is not a host name")
        met.add(name.lower())
    return names.constraints(met)


def _hosts(policy: Path | None) -> frozenset[str]:
    path = policy_in_force(settings_from(), policy)
    return read_rules(path / "policy.yaml" if path.is_dir() else path, examples=False).catalog.hosts


def _certificates(file: Path) -> list[x509.Certificate]:
    data = read_limited(file.absolute(), limit=_PEM_LIMIT)
    if data is None:
        raise ConfigError(f"there is no file {file}")
    try:
        return x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ConfigError(f"{file} holds no certificate in PEM form") from None


def _system_roots() -> list[x509.Certificate]:
    """Those of the system's roots that can be read strictly; others cannot be a company's."""
    found: list[x509.Certificate] = []
    with suppress(HostError):
        for der in root_store().certificates():
            with suppress(ValueError):
                found.append(x509.load_der_x509_certificate(der))
    return found


def _system_trusts(root: x509.Certificate) -> bool:
    with suppress(HostError):
        return root.public_bytes(serialization.Encoding.DER) in root_store().certificates()
    return False


def _try(company: Company) -> None:
    """Show a leaf to a strict client that trusts the company's root alone. Raises ConfigError."""
    sample = sample_of_company(company, company.sample, now=utc_now())
    verdict = ask_openssl(sample, roots=pem_text(company.root))
    if not verdict.accepted:
        raise ConfigError(
            f"a TLS client that trusts the company's root refuses what this certificate signs: {verdict.reason}",
            hint="Show the certificate and its chain to who issued them.",
        )


def _tell_engine(paths: StatePaths) -> None:
    """Have a running engine look at the disk again."""
    with suppress(HostError, PermissionError, ProcessLookupError), as_owner_of(paths.root):
        running = read_runfile(paths)
        if running is None:
            return
        if not hasattr(signal, "SIGHUP"):
            out().print("restart the agent for it")
            return
        os.kill(running.pid, signal.SIGHUP)
        out().print("[dim]the running agent was told[/]")

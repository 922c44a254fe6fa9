"""Looks at what is around the agent: who trusts its root, how programs come here, the network, what else wants the
traffic. Blocks. What cannot be looked at is said in the facts, never raised."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

import psutil
from cryptography import x509

from agent.cli.doctor.facts import (
    LineFacts,
    NetworkFacts,
    OtherFacts,
    PacFacts,
    TrustFacts,
    WayFacts,
)
from agent.cli.doctor.machinery import Machinery
from agent.cli.doctor.network import ask_portal, ask_proxy, reach
from agent.cli.doctor.pac import read_pac
from agent.cli.doctor.rivals import running
from agent.cli.trust import sample_of
from agent.errors import DrawbridgeError
from agent.gateway.transport.tls import client_context
from agent.host.arrangement import PAC_PATH, State, aims, arrangement
from agent.host.earlier import PAC_LIMIT, leads_to, read_earlier
from agent.host.pac_source import fetch
from agent.host.pairs import utc_now
from agent.host.paths import setup_paths
from agent.host.roots import root_store
from agent.host.run import run
from agent.host.trust.stores import Machine, trust_stores
from agent.host.trust.survey import survey_programs, survey_stores
from agent.host.upstream import settled

_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_BROWSERS = frozenset({"nss", "firefox-policy"})
_NODE_SECONDS = 10.0


def trust_facts(machine: Machinery) -> TrustFacts:
    """See `TrustFacts`."""
    now = utc_now()
    try:
        here = Machine.this()
        roots = machine.roots
        root = x509.load_der_x509_certificate(roots[0].der)
    except (DrawbridgeError, OSError) as error:
        return TrustFacts(now=now, unread=str(error))
    stores = trust_stores(here)
    asked = survey_programs(sample_of(machine.paths), environ=machine.environ)
    return TrustFacts(
        now=now,
        subject=roots[0].subject,
        begins=root.not_valid_before_utc,
        ends=root.not_valid_after_utc,
        system=survey_stores([each for each in stores if each.kind not in _BROWSERS], roots),
        browsers=survey_stores([each for each in stores if each.kind in _BROWSERS], roots),
        python=asked[0],
        node=asked[1] if len(asked) > 1 else None,
    )


def way_facts(machine: Machinery) -> WayFacts:
    """See `WayFacts`."""
    settings = machine.settings
    service = machine.service
    asked = (settings.manage_proxy, settings.manage_environment) != ("none", "none")
    right: list[str] = []
    wrong: list[str] = []
    problem = ""
    if service is not None:
        asked = service.asked
        good, bad = service.way()
        right, wrong = list(good), list(bad)
    elif asked:
        try:
            places = setup_paths()
            rows = arrangement(places).look(aims(settings, machine.paths, places, ports=machine.ports))
            for row in rows:
                scope = f"{row.kind} {row.scope}".strip()
                if row.state is State.ALREADY:
                    right.append(scope)
                else:
                    wrong.append(scope + (f": {row.reason}" if row.reason else " differs"))
        except DrawbridgeError as error:
            problem = str(error)
    return WayFacts(
        runs=machine.status is not None,
        line=_line(machine),
        pac=_pac(machine),
        asked=asked,
        settings=tuple(right),
        wrong=tuple(wrong),
        settings_problem=problem,
        variables={name: machine.environ[name] for name in _PROXY_VARIABLES if machine.environ.get(name)},
        ports=machine.ports,
    )


def network_facts(machine: Machinery) -> NetworkFacts:
    """See `NetworkFacts`."""
    behind = 0.0
    with suppress(OSError):
        behind = Path(__file__).stat().st_mtime - time.time()
    if machine.fast:
        return NetworkFacts(fast=True, behind_seconds=behind)
    settings = settled(machine.settings, machine.environ, read_earlier(setup_paths().earlier))
    try:
        context = client_context(settings.upstream_ca_file)
    except DrawbridgeError as error:
        return NetworkFacts(portal_unread=str(error), behind_seconds=behind)
    reached = reach(
        machine.known_hosts,
        context=context,
        proxy=settings.upstream_proxy,
        direct=lambda host: host in settings.upstream_direct,
        resolve=settings.resolve,
    )
    portal, why = None, ""
    if reached and all(each.problem for each in reached):
        portal, why = ask_portal()
    return NetworkFacts(
        proxy=settings.upstream_proxy or "",
        reached=reached,
        portal=portal,
        portal_unread=why,
        behind_seconds=behind,
    )


def other_facts(machine: Machinery) -> OtherFacts:
    """See `OtherFacts`."""
    names: set[str] = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            names.add(process.name())
    node = ""
    if (program := shutil.which("node", path=machine.environ.get("PATH"))) is not None:
        with suppress(DrawbridgeError):
            node = (
                run([program, "--version"], timeout=_NODE_SECONDS)
                .stdout.decode("ascii", "replace")[:40]
                .strip()
            )
    return OtherFacts(
        proxies={
            name: _shown(value)
            for name in _PROXY_VARIABLES
            if (value := machine.environ.get(name)) and not leads_to(value, machine.ports)
        },
        company=machine.settings.upstream_proxy or "",
        rivals=running(names),
        node=node,
    )


def _line(machine: Machinery) -> LineFacts | None:
    if machine.status is None or not machine.known_hosts:
        return None
    roots: tuple[x509.Certificate, ...] = ()
    system: tuple[bytes, ...] | None = None
    with suppress(DrawbridgeError, OSError):
        roots = tuple(x509.load_der_x509_certificate(each.der) for each in machine.roots)
    with suppress(DrawbridgeError):
        system = root_store().certificates()
    return ask_proxy(
        machine.ports[0], machine.known_hosts[0], roots=roots, system=system, root_known=bool(roots)
    )


def _pac(machine: Machinery) -> PacFacts | None:
    if machine.status is None:
        return None
    url = f"http://127.0.0.1:{machine.ports[0]}{PAC_PATH}"
    try:
        text = fetch(url, limit=4 * PAC_LIMIT)
    except DrawbridgeError as error:
        return PacFacts(problem=str(error))
    return read_pac(text, wanted=machine.hosts, port=machine.ports[0])


def _shown(url: str) -> str:
    """A proxy's URL without what may be a password."""
    scheme, _, rest = url.rpartition("://")
    return (f"{scheme}://" if scheme else "") + rest.rpartition("@")[2].split("/")[0][:100]

"""Looks at the machine and fills the facts. Blocks. What cannot be looked at is said in the facts, never raised."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
from cryptography import x509

from agent import __version__
from agent.assembly import policy_path
from agent.audit import Trail
from agent.audit.retention import Limits
from agent.cli.doctor.facts import (
    AgentFacts,
    LineFacts,
    NetworkFacts,
    OtherFacts,
    PacFacts,
    PolicyFacts,
    Port,
    StateFacts,
    TrustFacts,
    Warned,
    WayFacts,
)
from agent.cli.doctor.network import ask_portal, ask_proxy, reach
from agent.cli.doctor.pac import read_pac
from agent.cli.doctor.rivals import running
from agent.cli.doctor.service import Service
from agent.cli.trust import sample_of
from agent.control.client import Control, NotRunningError
from agent.errors import DrawbridgeError
from agent.gateway.policy_file import PolicyFile
from agent.gateway.transport.tls import client_context
from agent.host.arrangement import PAC_PATH, State, aims, arrangement
from agent.host.device_root import load_root
from agent.host.earlier import PAC_LIMIT, leads_to, read_earlier
from agent.host.files import OTHERS_ANY, OTHERS_WRITE
from agent.host.key_seal import KeyFiles, key_seal
from agent.host.lasting import roots_for
from agent.host.lock import is_locked
from agent.host.ownership import as_owner_of
from agent.host.pac_source import fetch
from agent.host.pairs import utc_now
from agent.host.paths import StatePaths, setup_paths, state_directory
from agent.host.roots import root_store
from agent.host.run import run
from agent.host.settings import Settings
from agent.host.trust.store import Root
from agent.host.trust.stores import Machine, trust_stores
from agent.host.trust.survey import survey_programs, survey_stores
from agent.host.upstream import settled

_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
_HOSTS = ("api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com")
"""Hosts of the catalog that are asked for, while the policy in force has them."""
_BROWSERS = frozenset({"nss", "firefox-policy"})
_NODE_SECONDS = 10.0


@dataclass(frozen=True)
class Machinery:
    """One look at one machine: what several groups need is asked for once. `fast`: no network, no long reading."""

    settings: Settings
    environ: Mapping[str, str]
    fast: bool = False

    @cached_property
    def paths(self) -> StatePaths:
        """The agent's files."""
        return StatePaths.under(self.settings.state_dir)

    @cached_property
    def control(self) -> Control:
        """The agent, if one answers."""
        return Control(self.settings)

    @cached_property
    def asked(self) -> tuple[dict[str, Any] | None, str]:
        """Its status; or None and why it is silent where one should answer."""
        try:
            return self.control.ask("status"), ""
        except NotRunningError:
            return None, ""
        except DrawbridgeError as error:
            return None, str(error)

    @property
    def status(self) -> dict[str, Any] | None:
        """What the running agent says of itself."""
        return self.asked[0]

    @cached_property
    def service(self) -> Service | None:
        """What the agent that answers says of itself, where its files are not for this account to read."""
        if self.status is None or os.access(Path(self.status["state_dir"]) / "ca", os.R_OK | os.X_OK):
            return None
        try:
            return Service.of(self.control.ask("service"))
        except (DrawbridgeError, KeyError, TypeError, ValueError):
            return None  # another version answers: what it says of its state is not understood

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The agent's roots. Raises DrawbridgeError, OSError."""
        if self.service is not None and self.service.roots:
            return self.service.trusted
        return roots_for(Machine.this(), self.paths)

    @cached_property
    def ports(self) -> tuple[int, int]:
        """Those of the running agent, else of the settings."""
        if self.status is not None:
            return int(self.status["proxy_port"]), int(self.status["gateway_port"])
        return self.settings.proxy_port, self.settings.gateway_port

    @cached_property
    def book(self) -> PolicyFile | DrawbridgeError:
        """The policy on the disk, compiled, or what is wrong with it. That of the running agent, where one runs."""
        place = policy_path(self.settings)
        if self.status is not None:
            place = Path(self.status["policy"]["source"])
        try:
            return PolicyFile(place)
        except DrawbridgeError as error:
            return error

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of the policy in force."""
        if self.status is not None:
            with suppress(DrawbridgeError):
                services = self.control.ask("policy")["services"]
                return frozenset(host for each in services for host in each["hosts"])
        return self.book.rules.catalog.hosts if isinstance(self.book, PolicyFile) else frozenset()

    @property
    def known_hosts(self) -> tuple[str, ...]:
        """Those of the hosts that are asked for which the policy in force has."""
        return tuple(host for host in _HOSTS if host in self.hosts)


def agent_facts(machine: Machinery) -> AgentFacts:
    """See `AgentFacts`."""
    status, silent = machine.asked
    found: dict[str, Any] = {}
    if status is not None:
        pause = status["pause"]
        now = time.time()
        found = {
            "running": status["version"],
            "pid": status["pid"],
            "started_at": status["started_at"],
            "paused_minutes": None if pause is None else max(pause["ends_at"] - now, 0) / 60,
            "warnings": tuple(
                Warned(
                    code=each["code"],
                    title=each["title"],
                    text=each["text"],
                    degrades=each["severity"] in ("medium", "high"),
                )
                for each in status["health"]
            ),
        }
    service = machine.service
    supervised = service.supervised if service is not None else is_locked(machine.paths.supervisor_lock)
    ours = status is not None or supervised
    places = dict.fromkeys((machine.paths.root, *_usual_places()))
    return AgentFacts(
        installed=__version__,
        now=time.time(),
        supervised=supervised,
        silent=silent,
        ports=tuple(
            _port(name, number, ours=ours)
            for name, number in zip(("proxy", "gateway"), machine.ports, strict=True)
            if number
        ),
        agents=(
            *(str(each) for each in places if is_locked(StatePaths.under(each).lock)),
            *((service.place,) if service is not None else ()),
        ),
        programs=_programs(machine.environ.get("PATH", "")),
        **found,
    )


def policy_facts(machine: Machinery) -> PolicyFacts:
    """See `PolicyFacts`."""
    running_ = None if machine.status is None else str(machine.status["policy"]["digest"])
    if machine.status is not None and machine.service is not None:
        told = machine.status["policy"]
        if not os.access(told["source"], os.R_OK):
            return PolicyFacts(
                source=told["source"],
                id=told["id"],
                revision=told["revision"],
                unread=f"{told['source']} is not for this account to read",
                running=running_,
            )
    book = machine.book
    if isinstance(book, DrawbridgeError):
        return PolicyFacts(
            source=str(policy_path(machine.settings)), problem=str(book), hint=book.hint(), running=running_
        )
    age = 0.0
    with suppress(OSError):
        age = (time.time() - book.path.stat().st_mtime) / 86_400
    policy = book.rules.policy
    return PolicyFacts(
        source=str(book.path),
        id=policy.id,
        revision=policy.revision,
        digest=book.rules.digest,
        age_days=age,
        running=running_,
    )


def state_facts(machine: Machinery) -> StateFacts:
    """See `StateFacts`."""
    paths = machine.paths
    needs = any("keyring:" in line.partition("#")[0] for line in _policy_text(machine).splitlines())
    common: dict[str, Any] = {
        "place": str(paths.root),
        "needs_keyring": needs,
        "keyring": _keyring() if needs else "",
    }
    if machine.service is not None:
        return replace(machine.service.state(time.time()), **{**common, "place": machine.service.place})
    if not paths.root.is_dir():
        return StateFacts(there=False, **common)
    try:
        with as_owner_of(paths.root):
            if not os.access(paths.root, os.R_OK | os.X_OK):
                return StateFacts(unread=f"this account may not read {paths.root}", **common)
            return StateFacts(**common, **_state(machine))
    except (DrawbridgeError, PermissionError) as error:
        return StateFacts(unread=str(error), **common)


def _state(machine: Machinery) -> dict[str, Any]:
    paths = machine.paths
    found: dict[str, Any] = {"open_to_others": tuple(_open(paths)), "trail_limit": Limits().max_bytes}
    with suppress(OSError):
        found["free_bytes"] = shutil.disk_usage(paths.root).free
    if paths.spool.exists():
        with suppress(OSError):
            found["trail_bytes"] = paths.spool.stat().st_size
        found |= _trail(paths, fast=machine.fast)
    else:
        found["chain_unread"] = "there is no trail yet"
    try:
        files = KeyFiles(key_seal(), migrates=False)
        found["key_there"] = paths.company_certificate.exists() or load_root(paths, files) is not None
    except (DrawbridgeError, PermissionError) as error:
        found["key_problem"] = str(error)
    return found


def _trail(paths: StatePaths, *, fast: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    trail = Trail(paths)
    try:
        if newest := trail.events(limit=1):
            found["newest_hours"] = max(time.time() - newest[0].time_ms / 1e3, 0) / 3600
        if not fast:
            report = trail.verify()
            found["events"] = report.events
            if report.problem is not None:
                found["chain_problem"] = f"event {report.problem.seq}: {report.problem.text}"
    except DrawbridgeError as error:
        found["chain_problem"] = str(error)
    return found


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


def _usual_places() -> Iterator[Path]:
    """Where the user's own agent and the machine's have their state."""
    for privileged in (False, True):
        yield state_directory(privileged=privileged, environ={})


def _port(name: str, number: int, *, ours: bool) -> Port:
    listening = False
    with suppress(OSError), socket.create_connection(("127.0.0.1", number), timeout=2):
        listening = True
    holder = "" if ours or not listening else _holder(number)
    return Port(name=name, number=number, listening=listening, ours=ours and listening, holder=holder)


def _holder(port: int) -> str:
    with suppress(psutil.Error, OSError):
        for row in psutil.net_connections(kind="tcp"):
            if row.status == psutil.CONN_LISTEN and row.laddr and row.laddr[1] == port and row.pid:
                return f"{psutil.Process(row.pid).name()} (pid {row.pid})"
    return ""


def _programs(path: str) -> tuple[str, ...]:
    """Different programs called `drawbridge` on PATH."""
    found: dict[Path, str] = {}
    for folder in path.split(os.pathsep):
        if folder and (program := shutil.which("drawbridge", path=folder)) is not None:
            with suppress(OSError):
                found.setdefault(Path(program).resolve(), program)
    return tuple(found.values())


def _open(paths: StatePaths) -> Iterator[str]:
    """What of the state others may open, or change."""
    if sys.platform == "win32":  # left to the access list of the directory
        return
    keys = (paths.root_key, paths.intermediate_key, paths.next_key, paths.company_key, paths.request_key)
    private: Iterable[Path] = (
        *(paths.root, paths.ca, paths.audit, paths.run),
        *keys,
        *(paths.spool, paths.control_token, paths.answers_key),
    )
    for path in private:
        with suppress(OSError):
            mode = stat.S_IMODE(path.lstat().st_mode)
            wrong = OTHERS_WRITE if path == paths.root else OTHERS_ANY
            if mode & wrong:
                yield f"{path} (mode {mode:04o})"


def _policy_text(machine: Machinery) -> str:
    if isinstance(machine.book, PolicyFile):
        with suppress(OSError, UnicodeDecodeError):
            return machine.book.path.read_text(encoding="utf-8")
    return ""


def _keyring() -> str:
    import keyring  # loading its backends takes 30 ms and touches D-Bus: only when the policy needs one
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    return "" if isinstance(backend, (fail.Keyring, null.Keyring)) else backend.name


def _shown(url: str) -> str:
    """A proxy's URL without what may be a password."""
    scheme, _, rest = url.rpartition("://")
    return (f"{scheme}://" if scheme else "") + rest.rpartition("@")[2].split("/")[0][:100]

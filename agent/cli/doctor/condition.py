"""Looks at the agent itself: whether it runs, its policy and its state. Blocks. What cannot be looked at is said in the
facts, never raised."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from agent import __version__
from agent.assembly import policy_path
from agent.audit import Trail
from agent.audit.retention import Limits
from agent.cli.doctor.facts import (
    AgentFacts,
    PolicyFacts,
    Port,
    StateFacts,
    Warned,
)
from agent.cli.doctor.machinery import Machinery
from agent.errors import DrawbridgeError
from agent.gateway.policy_file import PolicyFile
from agent.host.device_root import load_root
from agent.host.files import OTHERS_ANY, OTHERS_WRITE
from agent.host.key_seal import KeyFiles, key_seal
from agent.host.lock import is_locked
from agent.host.ownership import as_owner_of
from agent.host.paths import StatePaths, state_directory


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

"""What it costs to know who asks: process and parents beside psutil, the app, the account. Processor time.

Run `python -m tests.bench.asking` (Linux). A chain of shells stands between us and the client, as in an editor's
terminal. Ratios are of one run; `psutil` is what a program would write with it: the connection's owner, and each parent
by name, executable, command line and user.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import psutil

from agent.catalog import Apps, bundled_apps
from agent.gateway.logins import Logins
from agent.host.lineage import Lineage, described
from agent.host.lineage_linux import ProcReader
from agent.host.processes import Endpoint
from agent.host.processes_linux import LinuxProcessFinder
from agent.inspection import RuleBook
from agent.policy import load

_CLIENT = (
    "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); sys.stdin.read()"
)
_DEEP = 4  # shells within each other


def main() -> None:
    """Measure and print."""
    if sys.platform != "linux":
        raise SystemExit("this measures Linux")
    with socket.create_server(("127.0.0.1", 0)) as server:
        line = f'{sys.executable} -S -c "{_CLIENT}" {server.getsockname()[1]}; true'
        for _ in range(_DEEP - 1):
            line = f"bash -c {json.dumps(line)}; true"
        with subprocess.Popen(["bash", "-c", line.replace("$", "\\$")], stdin=subprocess.PIPE) as child:
            accepted, end = server.accept()
            with accepted:
                _processes(end[:2], server.getsockname())
            assert child.stdin is not None
            child.stdin.close()
    _logins()


def _processes(client: Endpoint, server: Endpoint) -> None:
    finder = LinuxProcessFinder()
    found = finder.find(client, server)
    assert found is not None
    print(f"{len(psutil.pids())} processes, the client is {len(found.line) - 1} steps deep\n")
    theirs = _each(lambda: _with_psutil(client, server), 20)
    cold = _each(lambda: LinuxProcessFinder().find(client, server), 100)
    warm = _each(lambda: finder.find(client, server), 2000)
    print("connection → process and parents")
    _row("psutil", theirs, theirs)
    _row("ours, cold", cold, theirs)
    _row("ours, a process seen lately", warm, theirs)
    reader = ProcReader()
    parents = _each(lambda: _psutil_line(found.pid), 100)
    known = Lineage(reader)
    print("process → parents")
    _row("psutil", parents, parents)
    _row("ours, cold", _each(lambda: Lineage(reader).of(found.pid), 200), parents)
    _row("ours, warm", _each(lambda: described(known.of(found.pid), user="u"), 5000), parents)
    apps = Apps(bundled_apps())
    print("process → app, what a request claims")
    _row("app of a new process", _each(lambda: apps.behind(found), 2000))
    _row("claim of a request", _each(lambda: apps.claimed(_headers(b"x")), 5000))


def _logins() -> None:
    rules = RuleBook(load("schema_version: 1\nid: p\n", source="p"))
    token = b"Bearer " + _jwt()
    logins = Logins()
    host = "chatgpt.com"
    fields = _headers(token)
    logins.login_of(rules, host, fields)
    print(f"request → account (a token of {len(token)} bytes)")
    floor = _each(lambda: json.loads(base64.urlsafe_b64decode(token.split(b".")[1] + b"==")), 5000)
    _row("base64 and json of the claims alone", floor, floor)
    _row("ours, first time", _each(lambda: Logins().login_of(rules, host, fields), 2000), floor)
    _row("ours, from then on", _each(lambda: logins.login_of(rules, host, fields), 20000), floor)


def _headers(token: bytes) -> tuple[tuple[bytes, bytes], ...]:
    plain = tuple((b"x-stainless-%d" % number, b"some value") for number in range(12))
    return (
        (b"host", b"chatgpt.com"),
        *plain,
        (b"user-agent", b"codex_cli_rs/0.50"),
        (b"authorization", token),
    )


def _jwt() -> bytes:
    claims = {
        "iss": "https://auth.openai.com",
        "https://api.openai.com/auth": {"chatgpt_plan_type": "team", "chatgpt_account_id": "7d3f" * 9},
        "https://api.openai.com/profile": {"email": "ann@example.com", "email_verified": True},
        "scp": ["openid", "profile", "email"] * 12,
    }
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    return b"eyJhbGciOiJSUzI1NiJ9." + payload + b"." + b"s" * 340


def _with_psutil(client: Endpoint, server: Endpoint) -> list[dict[str, object]]:
    for row in psutil.net_connections(kind="tcp"):
        if row.pid and tuple(row.laddr) == client and tuple(row.raddr or ()) == server:
            return _psutil_line(row.pid)
    raise AssertionError("no such connection")


def _psutil_line(pid: int) -> list[dict[str, object]]:
    first = psutil.Process(pid)
    return [each.as_dict(["name", "exe", "cmdline", "username"]) for each in (first, *first.parents())]


def _each(work: Callable[[], object], times: int) -> float:
    """Seconds of processor time of one call, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - begun) / times)
    return best


def _row(name: str, seconds: float, beside: float | None = None) -> None:
    ratio = f"   × {seconds / beside:.3f}" if beside else ""
    print(f"  {name:<40}{seconds * 1e6:10.1f} µs{ratio}")


if __name__ == "__main__":
    main()

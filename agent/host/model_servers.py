"""Which programs serve models on this machine, where, and which models: processes that are known as such, asked on
loopback for the list that they document. Blocks; never raises."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import orjson
import psutil

from agent.catalog.recognition import Apps
from agent.host.lineage import Lineage
from agent.host.process_table import ProcessTable
from agent.model.inventory import Found, FoundKind, ModelServer

MAX_MODELS = 200
MAX_ANSWER = 512 * 1024
SECONDS = 2.0
"""For one answer, from the first byte asked to the last one read."""

_MAX_NAME = 200
_MAX_PORTS = 4  # of one process that are asked
_ANYWHERE = ("0.0.0.0", "::", "127.0.0.1", "::1")

type Ports = Callable[[int], Sequence[tuple[str, int]]]
"""Address and port of the sockets on which a process listens."""

type Fetch = Callable[[str, int, str], bytes | None]
"""The answer to GET at a loopback address, port and path; None where it is none or an error."""


def model_servers(
    rows: Iterable[ModelServer],
    apps: Apps,
    table: ProcessTable,
    ports: Ports | None = None,
    fetch: Fetch | None = None,
) -> Iterator[Found]:
    """The servers of `rows` that run. Only processes known as one are asked, at their own ports."""
    found = list(_running({row.app: row for row in rows}, apps, table, ports or listening, fetch or fetched))
    answered = {each.key for each in found if each.models}
    seen: set[tuple[str, str, str, str, str]] = set()
    for each in found:  # a server may have helpers that listen, too: who tells models is the server
        if each.models or (each.key not in answered and each.key not in seen):
            seen.add(each.key)
            yield each


def _running(
    wanted: Mapping[str, ModelServer], apps: Apps, table: ProcessTable, ports: Ports, fetch: Fetch
) -> Iterator[Found]:
    lineage = Lineage(table)
    for pid in table.pids():
        process = lineage.process(pid, user=table.user(pid))
        if process is None:
            continue
        row = wanted.get(apps.behind(process).app)
        if row is None:
            continue
        for address, port in sorted(set(ports(pid)), key=_port)[:_MAX_PORTS]:
            if address not in _ANYWHERE:
                continue
            app = apps.get(row.app)
            answer = fetch(address, port, row.models) if row.models else None
            yield Found(
                kind=FoundKind.MODEL_SERVER,
                id=row.app,
                name=app.name if app is not None else row.app,
                user=process.user,
                port=port,
                models=tuple(_models(answer, row.names)) if answer is not None else (),
            )


def listening(pid: int) -> Sequence[tuple[str, int]]:
    """Where a process listens; nothing where the system keeps that from us."""
    with suppress(psutil.Error, OSError):
        return [
            (row.laddr[0], row.laddr[1])
            for row in psutil.Process(pid).net_connections(kind="tcp")
            if row.status == psutil.CONN_LISTEN and row.laddr
        ]
    return ()


def fetched(address: str, port: int, path: str) -> bytes | None:
    """The body of a 200; see `Fetch`. Goes to loopback, past every proxy."""
    host = "::1" if ":" in address else "127.0.0.1"
    deadline = time.monotonic() + SECONDS
    connection = http.client.HTTPConnection(host, port, timeout=SECONDS / 2)
    try:
        connection.request("GET", path, headers={"accept": "application/json", "user-agent": "Drawbridge"})
        response = connection.getresponse()
        if response.status != 200:
            return None
        parts: list[bytes] = []
        size = 0
        while chunk := response.read1(65536):
            parts.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER or time.monotonic() > deadline:
                return None
        return b"".join(parts)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def _port(socket: tuple[str, int]) -> int:
    return socket[1]


def _models(answer: bytes, path: tuple[str, ...]) -> Iterator[str]:
    with suppress(ValueError, RecursionError):
        names = _at(orjson.loads(answer), path)
        for name in list(dict.fromkeys(each for each in names if isinstance(each, str)))[:MAX_MODELS]:
            yield name[:_MAX_NAME]


def _at(node: object, path: tuple[str, ...]) -> Iterator[object]:
    if not path:
        yield node
    elif path[0] == "*" and isinstance(node, list):
        for each in node:
            yield from _at(each, path[1:])
    elif isinstance(node, dict) and path[0] in node:
        yield from _at(node[path[0]], path[1:])

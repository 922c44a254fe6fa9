"""A central node as commands ask it. Blocks.

A node has no control API: nobody is signed in there, and nothing is paused. What it is asked for is told by the local
pages of its loopback listener, to whoever may read the control token.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from agent.errors import HostError
from agent.gateway.local import STATUS_PATH
from agent.gateway.telemetry_pages import EXCHANGES_PATH
from agent.host.files import read_private
from agent.host.paths import StatePaths
from agent.host.runfile import read_runfile

PAGES: Mapping[str, str] = {"status": STATUS_PATH, "live": EXCHANGES_PATH}
"""Verbs of the control API that a node answers, too."""

_WORKERS = "workers"  # the folder of a node's state that holds one for each of its workers
_SECONDS = 10.0
_LIMIT = 16 * 1024 * 1024  # bytes of an answer
_TOKEN_LIMIT = 1024  # bytes


def ask_node(paths: StatePaths, verb: str, arguments: Mapping[str, object]) -> dict[str, Any] | None:
    """What the node of that state directory, or the worker, answers; None where none runs, or not to that.

    Raises HostError, where it does not answer or this account may not ask it.
    """
    page = PAGES.get(verb)
    running = read_runfile(paths) if page is not None else None
    if page is None or running is None or running.proxy_port:  # an agent has a proxy, a node has none
        return None
    connection = HTTPConnection("127.0.0.1", running.gateway_port, timeout=_SECONDS)
    target = page + (
        "?" + urlencode({name: str(value) for name, value in arguments.items()}) if arguments else ""
    )
    try:
        connection.request("GET", target, headers={"authorization": f"Bearer {_token(paths)}"})
        answer = connection.getresponse()
        body = answer.read(_LIMIT)
        if answer.status != 200:
            raise HostError(f"the central node refuses to tell its {verb} (status {answer.status})")
        found: dict[str, Any] = json.loads(body)
    except (OSError, HTTPException, ValueError) as error:
        raise HostError(
            f"the central node does not answer: {type(error).__name__}", hint="See its log, or restart it."
        ) from error
    finally:
        connection.close()
    return found


def _token(paths: StatePaths) -> str:
    """Workers share that of the node, two folders up."""
    folder = paths.root.parent
    node = StatePaths.under(folder.parent) if folder.name == _WORKERS else paths
    return (read_private(node.control_token, limit=_TOKEN_LIMIT) or b"").decode(errors="replace").strip()


def worker_folders(paths: StatePaths) -> tuple[str, ...]:
    """The state directories of a node's running workers; none where the node is one process, or does not run."""
    folder = paths.root / _WORKERS
    found = sorted(folder.iterdir()) if folder.is_dir() else ()
    return tuple(str(each) for each in found if read_runfile(StatePaths.under(each)) is not None)

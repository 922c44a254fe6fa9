"""Tries cells: the vendors' stand-ins, one agent before them, and the programs, two at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.clients.matrix.grid import (
    CLIENTS,
    COUNTS,
    ENVIRONMENT,
    ITSELF,
    OTHERS,
    POLICY,
    PROVIDERS,
    Cell,
    shows_thoughts,
)
from tests.fakes.provider import Provider
from tests.fakes.vendors import Vendors
from tests.integration.agent_process import AgentProcess

_PROGRAMS = Path(__file__).parents[1] / "sdks"
_INHERITED = ("PATH", "LANG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")
_QUIET = {  # nothing but the loopback is asked
    "AWS_EC2_METADATA_DISABLED": "true",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
_GATEWAYS_KEY = "nobody-asks-for-it"  # the policy has no virtual keys
_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a cell: nothing wrong, or what."""

    cell: Cell
    wrong: str | None


def tried(cells: Iterable[Cell], directory: Path) -> list[Result]:
    """Try the cells; `directory` exists and is for this alone."""
    policy = directory / "policy.yaml"
    with Provider(directory, app=Vendors(), tls=False) as vendors:
        policy.write_text(POLICY.format(url=vendors.url))
        agent = AgentProcess(
            directory, upstreams={}, ca_file=vendors.ca_file, policy=policy, environ=ENVIRONMENT
        )
        with agent:
            gateway = f"http://127.0.0.1:{agent.gateway_port}"
            return _by_programs(list(cells), vendors.url, gateway, directory)


def others() -> list[Cell]:
    """What is tried of the operations that pass."""
    return [
        Cell(client=program, provider=model, way=way) for way, (program, model) in (OTHERS | COUNTS).items()
    ]


def _by_programs(cells: list[Cell], vendors: str, gateway: str, home: Path) -> list[Result]:
    programs: Mapping[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        programs[CLIENTS[cell.client].program if cell.client in CLIENTS else cell.client].append(cell)

    def run(program: str) -> list[Result]:
        errands = [_errand(cell, vendors, gateway) for cell in programs[program]]
        verdicts = _run(program, errands, home)
        return [
            Result(cell=cell, wrong=wrong) for cell, wrong in zip(programs[program], verdicts, strict=True)
        ]

    with ThreadPoolExecutor(2) as pool:
        return [result for results in pool.map(run, programs) for result in results]


def _errand(cell: Cell, vendors: str, gateway: str) -> dict[str, object]:
    client = CLIENTS.get(cell.client)
    place: dict[str, object]
    if client is not None and cell.provider == ITSELF:
        place = {"url": vendors, "key": client.key, "model": client.model}
    else:
        column = PROVIDERS.get(cell.provider)
        model = column.model if column else cell.provider
        place = {"url": gateway, "key": _GATEWAYS_KEY, "model": model, "thoughts": shows_thoughts(cell)}
    return {
        "client": cell.client,
        "way": cell.way.partition(" ")[0] if client is None else cell.way,
        "place": place,
    }


def _run(program: str, errands: list[dict[str, object]], home: Path) -> list[str | None]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    finished = subprocess.run(
        [sys.executable, str(_PROGRAMS / f"{program}.py")],
        input=json.dumps(errands),
        env=inherited | _QUIET | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert finished.returncode == 0, f"{program} failed:\n{finished.stderr[-4000:]}"
    lines = finished.stdout.splitlines()[-len(errands) :]
    verdicts: list[str | None] = [json.loads(line) for line in lines]
    assert len(verdicts) == len(errands), (
        f"{program} came back from {len(verdicts)} errands of {len(errands)}"
    )
    return verdicts

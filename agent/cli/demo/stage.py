"""The stage of the demo: a provider on loopback, the agent as a process of its own, and a directory that is thrown
away. Nothing of the user's machine is changed, and every setting that could lead elsewhere is given anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.accounts.keys import hashed, new_key
from agent.cli.demo.gateway_scenes import DEPENDABLE, INTERN_TOKENS
from agent.cli.demo.outage import overloaded
from agent.cli.demo.recorder import Recorder
from agent.cli.demo.scenes import CODENAME
from agent.errors import HostError
from agent.gateway.echo import EchoApp
from agent.gateway.echo.service import LoopbackOrigins, Origin
from agent.host.files import read_private, write_atomically
from agent.host.paths import bundled_policies
from agent.host.run import Companion, ourselves, own_environment
from agent.host.runfile import RunFile
from agent.host.settings import ENVIRONMENT_PREFIX

BANK = "bank.example"  # RFC 2606: nobody's
PROVIDERS = ("api.openai.com", "api.anthropic.com")
DOWN = "api.mistral.ai"
KEYS = ("laptop", "intern")
"""The virtual keys of the demo, by their ids."""
_PROVIDER_KEY = "DEMO_PROVIDER_KEY"  # an environment variable of the agent

_READY_SECONDS = 30.0
_STOP_SECONDS = 15.0
_LOOK_SECONDS = 0.05
_LIMIT = 64 * 1024  # bytes of the ready file, and of the log that an error shows the end of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is there while the demo plays."""

    agent: RunFile
    providers: Recorder
    down: Recorder
    bank: Recorder
    keys: Mapping[str, str]
    origins: Mapping[str, Origin]
    origins_ca: Path


@asynccontextmanager
async def built(directory: Path, policy: Path | None, *, command: str = "up") -> AsyncIterator[Stage]:
    """Build the stage in `directory`, which the caller throws away; end every process when left.

    Without a policy the agent gets the demo's own. `command` may be `supervise`: there is a supervisor then, too.
    Raises HostError, with what the agent said, where it does not come up or not go down in order.
    """
    providers, down, bank = Recorder(EchoApp()), Recorder(overloaded), Recorder(EchoApp())
    keys = {name: new_key() for name in KEYS}
    async with LoopbackOrigins(directory) as served:
        apps = {**dict.fromkeys(PROVIDERS, providers), DOWN: down, BANK: bank}
        origins = {host: await served.serve(host, app) for host, app in apps.items()}
        ready = directory / "ready.json"
        log = directory / "agent.log"
        environ = child_environment(os.environ, origins, served.ca_file)
        with Companion(
            _command(command, directory, policy or write_policy(directory, keys), ready), environ, output=log
        ) as agent:
            try:
                yield Stage(
                    agent=await _ready(agent, ready, log),
                    providers=providers,
                    down=down,
                    bank=bank,
                    keys=keys,
                    origins=origins,
                    origins_ca=served.ca_file,
                )
            finally:
                # in a thread: while it drains, it still talks to the provider, which is us
                code = await asyncio.to_thread(agent.stop, _STOP_SECONDS)
            if code and sys.platform != "win32":  # there a process can only be cut off
                raise HostError(
                    f"the agent did not stop in order, but with status {code}: {_last_words(log)}"
                )


def _command(command: str, directory: Path, policy: Path, ready: Path) -> list[str]:
    options = {
        "--state-dir": str(directory / "state"),
        "--proxy-port": "0",
        "--gateway-port": "0",
        "--policy": str(policy),
        "--ready-file": str(ready),
    }
    return [*ourselves(), command, *(word for option in options.items() for word in option)]


def child_environment(
    environ: Mapping[str, str], origins: Mapping[str, Origin], ca_file: Path
) -> dict[str, str]:
    """The user's, without settings of ours, with every host of the demo led to loopback."""
    changed = {name: value for name, value in environ.items() if not name.startswith(ENVIRONMENT_PREFIX)}
    home = Path(__file__).parents[3]
    if home.name not in ("site-packages", "dist-packages"):  # a source tree, which need not be installed
        changed["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), environ.get("PYTHONPATH"))))
    elsewhere = (f"{origin.host}:443=127.0.0.1:{origin.port}" for origin in origins.values())
    return own_environment(changed) | {
        "DRAWBRIDGE_RESOLVE": ",".join(elsewhere),
        "DRAWBRIDGE_UPSTREAM_CA_FILE": str(ca_file),
        "DRAWBRIDGE_UPSTREAM_PROXY": "none",
        "DRAWBRIDGE_DASHBOARD_PORT": "0",
        "DRAWBRIDGE_LOG_LEVEL": "warning",
        _PROVIDER_KEY: "none-is-needed",
    }


def write_policy(directory: Path, keys: Mapping[str, str]) -> Path:
    """The bundled policy, one rule that blocks (the bundled one blocks nothing), and a gateway for these keys."""
    policy = yaml.safe_load((bundled_policies() / "default" / "policy.yaml").read_text(encoding="utf-8"))
    policy["id"] = "demo"
    policy["guardrails"].insert(
        0,
        {
            "id": "project-names",
            "detect": ["custom/project-name"],
            "where": ["prompt", "tool_result"],
            "action": "block",
        },
    )
    policy["detectors"].append({"id": "project-name", "keywords": [CODENAME]})
    file = directory / "policy.yaml"
    write_atomically(file, yaml.safe_dump(policy | _gateway(keys), sort_keys=False).encode())
    return file


def _gateway(keys: Mapping[str, str]) -> dict[str, object]:
    """The sections of the policy that make a gateway."""
    key = {"key": f"env:{_PROVIDER_KEY}"}
    budgets = {"intern": {"budgets": [{"tokens": INTERN_TOKENS, "per": "day"}]}}
    return {
        "providers": {"anthropic": key, "openai": dict(key), "mistral": dict(key)},  # dict: no YAML anchors
        "models": {DEPENDABLE: ["mistral/mistral-large-latest", "openai/gpt-5"]},
        "routing": {"retries": {"each": 1, "backoff_initial_ms": 50}},
        "accounts": {
            "virtual_keys": [
                {"id": name, "hash": hashed(value), **budgets.get(name, {})} for name, value in keys.items()
            ]
        },
        "cache": {"enabled": True},
    }


async def _ready(agent: Companion, ready: Path, log: Path) -> RunFile:
    """What the agent says when it serves. Raises HostError where it ends instead, or takes too long."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while (said := read_private(ready, limit=_LIMIT)) is None:
                if agent.code is not None:
                    raise HostError(f"the agent ended with status {agent.code}: {_last_words(log)}")
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise HostError(
            f"the agent was not ready within {_READY_SECONDS:.0f} s: {_last_words(log)}"
        ) from None
    return RunFile(**json.loads(said))


def _last_words(log: Path) -> str:
    try:
        text = log.read_bytes()[-_LIMIT:].decode(errors="replace").strip()
    except OSError:
        text = ""
    return text or "it said nothing"

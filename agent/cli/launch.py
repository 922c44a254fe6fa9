"""`drawbridge exec`: a program whose AI traffic goes through the bridge."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.console import explains_errors, state_paths
from agent.errors import ConfigError, HostError
from agent.host.bundle import refresh_bundle
from agent.host.environment import exec_environment
from agent.host.files import read_limited
from agent.host.roots import root_store
from agent.host.run import replace
from agent.host.runfile import read_runfile

_PEM_LIMIT = 64 * 1024  # bytes


@explains_errors
def launch(
    context: typer.Context,
    *,
    state_dir: Annotated[Path | None, typer.Option(help="State directory of the running agent.")] = None,
) -> None:
    """Run a program through the bridge: drawbridge exec -- claude

    Proxy and CA variables are set for this program only; its exit status is the command's.
    """
    command = list(context.args)
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise ConfigError("no command given", hint="drawbridge exec -- COMMAND [ARGUMENT…]")
    paths = state_paths({"state_dir": state_dir and str(state_dir.absolute())})
    running = read_runfile(paths)
    if running is None:
        raise ConfigError(f"no agent is running on {paths.root}", hint="start it: drawbridge up")
    roots_pem = read_limited(paths.roots, limit=_PEM_LIMIT)
    if roots_pem is None:
        raise HostError(f"the running agent's certificate {paths.roots} is gone", hint="restart it")
    refresh_bundle(paths, roots_pem, environ=os.environ, store=root_store())
    environment = exec_environment(
        os.environ,
        proxy_url=f"http://127.0.0.1:{running.proxy_port}",
        bundle=paths.bundle,
        root=paths.roots,
    )
    replace(command, environment)

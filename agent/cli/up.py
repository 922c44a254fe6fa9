"""`drawbridge up`: the agent in the foreground."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from agent.cli.console import err, explains_errors, settings_from
from agent.engine import facts_of, start_logging
from agent.host.files import write_atomically
from agent.host.runfile import RunFile


@explains_errors
def up(
    *,
    policy: Annotated[
        Path | None,
        typer.Option(help="Policy file; default: the one that the settings name, else the bundled one."),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(help="Where the CA, the audit trail, usage and the cache live.")
    ] = None,
    proxy_port: Annotated[
        int | None, typer.Option(help="Port of the proxy on 127.0.0.1, 7717 by default; 0 takes a free one.")
    ] = None,
    gateway_port: Annotated[
        int | None,
        typer.Option(
            help="Port of the gateway, for base URLs, on 127.0.0.1, 7718 by default; 0 takes a free one."
        ),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Written, as JSON, when the agent is ready; removed when it stops.")
    ] = None,
) -> None:
    """Run the agent in the foreground: the proxy, and the gateway for base URLs.

    SIGTERM or Ctrl-C stops it in order: no new connections, running streams get up to 10 s. SIGHUP reads
    settings and policy again; a bad policy is refused and the one in force stays.
    """
    given = {
        "policy": policy and str(policy.absolute()),
        "state_dir": state_dir and str(state_dir.absolute()),
        "proxy_port": proxy_port,
        "gateway_port": gateway_port,
    }
    settings = settings_from(given)
    start_logging(settings)
    from agent import daemon  # the parts take half a second to import

    told = False

    def ready(runfile: RunFile) -> None:
        nonlocal told
        if ready_file is not None:
            told = True
            write_atomically(ready_file, json.dumps(facts_of(runfile)).encode())
        err().print(
            f"Drawbridge is up. Proxy [bold]127.0.0.1:{runfile.proxy_port}[/], gateway "
            f"[bold]http://127.0.0.1:{runfile.gateway_port}[/]/v1 (any provider of the policy), or below it "
            "/openai/v1, /anthropic, /genai\n"
            "Run a program through it: [bold]drawbridge exec -- COMMAND[/]"
        )

    try:
        daemon.run(settings, on_ready=ready, reread=lambda: settings_from(given))
    finally:
        if told and ready_file is not None:  # else it may be another agent's
            ready_file.unlink(missing_ok=True)

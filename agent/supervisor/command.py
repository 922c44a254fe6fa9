"""`drawbridge supervise`: what the service manager starts. Reads the settings, binds, supervises `drawbridge up`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from agent.errors import DrawbridgeError
from agent.host.arrangement import aims, arrangement
from agent.host.earlier import read_earlier
from agent.host.lock import ProcessLock
from agent.host.managed import managed_source
from agent.host.offspring import Offspring
from agent.host.paths import (
    SetupPaths,
    StatePaths,
    config_file,
    is_privileged,
    setup_paths,
    state_directory,
)
from agent.host.setting_values import AUTO
from agent.host.settings import Settings, Source, load_settings
from agent.host.standin_file import read_standin
from agent.host.tasks import TaskGroup
from agent.host.upstream import settled
from agent.supervisor.restarts import Limits
from agent.supervisor.sockets import Listeners, listen
from agent.supervisor.standin import StandIn
from agent.supervisor.steward import Mandate, Steward
from agent.supervisor.supervisor import Duty, Supervisor
from agent.supervisor.vitals import Bounds

log = logging.getLogger(__name__)

EXIT_FAILED = 1


def main(arguments: Sequence[str]) -> int:
    """Supervise until told to stop; the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    given = {
        "state_dir": options.state_dir and str(Path(options.state_dir).absolute()),
        "policy": options.policy and str(Path(options.policy).absolute()),
        "proxy_port": options.proxy_port,
        "gateway_port": options.gateway_port,
    }
    try:
        settings = load_settings(
            command_line=given,
            environ=os.environ,
            managed=managed_source(),
            config_file=config_file(),
            default_state_dir=state_directory(),
        )
        supervise(
            settings,
            limits=Limits(steady=options.steady),
            bounds=Bounds(silence=options.silence),
            ready_file=options.ready_file,
            user=options.user,
        )
    except DrawbridgeError as error:
        sys.stderr.write(f"error: {error}\n" + (f"hint:  {error.hint()}\n" if error.hint() else ""))
        return EXIT_FAILED
    return 0


def supervise(
    settings: Settings, *, limits: Limits, bounds: Bounds, ready_file: str | None = None, user: bool = False
) -> None:
    """Bind and supervise; `ready_file` is what each engine writes when it is ready; `user`: settings are the user's,
    whoever we are. Raises HostError where a port is taken, or another supervisor has the state directory."""
    paths = StatePaths.under(settings.state_dir)
    with ExitStack() as held:
        paths.prepare()
        held.enter_context(ProcessLock(paths.supervisor_lock, "supervisor"))
        listeners = listen(settings.proxy_port, settings.gateway_port)
        held.callback(listeners.close)
        log.info("listening: proxy 127.0.0.1:%d, gateway 127.0.0.1:%d", *listeners.ports)
        setup = setup_paths(user=user)
        duty = _duty(settings, paths, listeners, ready_file, setup)
        mandate = _mandate(settings, paths, setup, listeners.ports)
        asyncio.run(_run(replace(duty, limits=limits, bounds=bounds), Steward(mandate)))


async def _run(duty: Duty, steward: Steward) -> None:
    async def start() -> Offspring:
        await steward.survey(hurried=True)
        return await duty.start()

    supervisor = Supervisor(replace(duty, start=start, serving=steward.serving, restore=steward.away))
    supervisor.handle_signals()
    await steward.begin()
    tasks = TaskGroup("steward")
    tasks.spawn(steward.run(), name="run")
    try:
        await supervisor.run()
    finally:
        await tasks.cancel()


def _mandate(settings: Settings, paths: StatePaths, setup: SetupPaths, ports: tuple[int, int]) -> Mandate:
    asks = setup.machine and not is_privileged()
    return Mandate(
        arrangement=arrangement(setup),
        aims=lambda: aims(settings, paths, setup, ports=ports),
        state=paths.settings_state,
        asks=paths.settings_request if asks else None,
        ports=ports,
        surveys=not asks and (settings.manage_proxy != "none" or settings.upstream_proxy == AUTO),
        in_charge=(settings.manage_proxy, settings.manage_environment) != ("none", "none"),
    )


def _duty(
    settings: Settings, paths: StatePaths, listeners: Listeners, ready_file: str | None, setup: SetupPaths
) -> Duty:
    reached = settled(settings, os.environ, read_earlier(setup.earlier))
    elsewhere = {(each.host, each.port): (each.address, each.address_port) for each in settings.resolve}
    standin = StandIn(
        listeners.proxy,
        listeners.gateway,
        lambda: read_standin(paths.standin),
        upstream_proxy=reached.upstream_proxy,
        direct=reached.upstream_direct,
        resolve=lambda host, port: elsewhere.get((host, port), (host, port)),
    )
    proxy_port, gateway_port = listeners.ports
    command = ["up", "--state-dir", str(settings.state_dir)]
    command += ["--proxy-port", str(proxy_port), "--gateway-port", str(gateway_port)]
    command += ["--earlier", str(setup.earlier)]
    # else the engine finds it where we did, and sees it change there
    if settings.policy is not None and settings.origins["policy"].source is Source.COMMAND_LINE:
        command += ["--policy", str(settings.policy)]

    if ready_file is not None:
        command += ["--ready-file", str(Path(ready_file).absolute())]

    async def start() -> Offspring:
        return await Offspring.start(command, (listeners.proxy, listeners.gateway))

    return Duty(start=start, standin=standin)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drawbridge supervise",
        description="Hold the ports, keep the engine (drawbridge up) running behind them, and stand in for it.",
        epilog="SIGTERM stops in order, SIGHUP reads the policy again, SIGUSR2 replaces the engine after an update.",
    )
    parser.add_argument("--policy", help="policy file, as of drawbridge up")
    parser.add_argument("--state-dir", help="where the CA, the audit trail and usage live")
    parser.add_argument("--proxy-port", type=int, help="7717 by default; 0 takes a free one")
    parser.add_argument("--gateway-port", type=int, help="7718 by default; 0 takes a free one")
    parser.add_argument(
        "--user", action="store_true", help="proxy settings are this user's, not the machine's, even for root"
    )
    parser.add_argument("--ready-file", help="written, as JSON, by each engine when it is ready")
    parser.add_argument(
        "--steady",
        type=float,
        default=Limits().steady,
        help="seconds after which an engine has not died of its start (default %(default)s)",
    )
    parser.add_argument(
        "--silence",
        type=float,
        default=Bounds().silence,
        help="seconds without a sign of life after which an engine is ended (default %(default)s)",
    )
    return parser

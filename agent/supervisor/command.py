"""`drawbridge supervise`: what the service manager starts. Reads the settings, binds, supervises `drawbridge up`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from agent.errors import DrawbridgeError
from agent.host.arrangement import aims, arrangement
from agent.host.canary import Canary
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
from agent.host.run import renew
from agent.host.setting_values import AUTO
from agent.host.settings import Settings, Source, load_settings
from agent.host.standin_file import read_standin
from agent.host.tasks import TaskGroup
from agent.host.upstream import settled
from agent.supervisor.restarts import Limits
from agent.supervisor.sockets import Listeners, borrowed, listen
from agent.supervisor.standin import StandIn
from agent.supervisor.steward import Mandate, Steward
from agent.supervisor.supervisor import REPLACEABLE, Duty, Supervisor
from agent.supervisor.vitals import Bounds

log = logging.getLogger(__name__)

EXIT_FAILED = 1


type Stoppable = Callable[[Callable[[], None]], None]
"""Is given what stops the supervisor, once there is one to stop; callable from any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """Who takes over: this command with `arguments`. `check` raises DrawbridgeError where it would not start."""

    arguments: Sequence[str]
    check: Callable[[], object]


def main(arguments: Sequence[str], *, stoppable: Stoppable | None = None) -> int:
    """Supervise until told to stop; the exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    given = {
        "state_dir": options.state_dir and str(Path(options.state_dir).absolute()),
        "policy": options.policy and str(Path(options.policy).absolute()),
        "proxy_port": options.proxy_port,
        "gateway_port": options.gateway_port,
    }

    def read() -> Settings:
        return load_settings(
            command_line=given,
            environ=os.environ,
            managed=managed_source(),
            config_file=config_file(),
            default_state_dir=state_directory(),
        )

    try:
        supervise(
            read(),
            limits=Limits(steady=options.steady),
            bounds=Bounds(silence=options.silence, memory=options.memory * 2**20),
            ready_file=options.ready_file,
            lent=options.lent,
            stoppable=stoppable,
            successor=Successor(
                arguments=[each for each in arguments if not each.startswith("--lent=")], check=read
            ),
            user=options.user,
        )
    except DrawbridgeError as error:
        if stoppable is not None:  # no terminal to tell it on
            log.error("%s %s", error, error.hint())  # noqa: TRY400  the cause is in the message
            return EXIT_FAILED
        sys.stderr.write(f"error: {error}\n" + (f"hint:  {error.hint()}\n" if error.hint() else ""))
        return EXIT_FAILED
    return 0


def supervise(
    settings: Settings,
    *,
    limits: Limits,
    bounds: Bounds,
    ready_file: str | None = None,
    user: bool = False,
    lent: str = "",
    successor: Successor | None = None,
    stoppable: Stoppable | None = None,
) -> None:
    """Bind and supervise; `ready_file` is what each engine writes when it is ready; `user`: settings are the user's,
    whoever we are; `lent` are the sockets of whom we took over from, `successor` is who may take over from us. Raises
    HostError where a port is taken, or another supervisor has the state directory."""
    paths = StatePaths.under(settings.state_dir)
    with ExitStack() as held:
        paths.prepare()
        held.enter_context(ProcessLock(paths.supervisor_lock, "supervisor"))
        ports = (settings.proxy_port, settings.gateway_port)
        listeners = (borrowed(lent, ports) if lent else None) or listen(*ports)
        held.callback(listeners.close)
        log.info("listening: proxy 127.0.0.1:%d, gateway 127.0.0.1:%d", *listeners.ports)
        setup = setup_paths(user=user)
        duty = _duty(settings, paths, listeners, ready_file, setup)
        renews = successor is not None and sys.platform != "win32"
        duty = replace(duty, limits=limits, bounds=bounds, takes_over=bool(lent), renews=renews)
        mandate = _mandate(settings, paths, setup, listeners.ports)
        while asyncio.run(_run(duty, Steward(mandate), stoppable)) and successor is not None:
            _give_way(duty, listeners, successor)


async def _run(duty: Duty, steward: Steward, stoppable: Stoppable | None) -> bool:
    async def start() -> Offspring:
        await steward.survey(hurried=True)
        return await duty.start()

    supervisor = Supervisor(
        replace(duty, start=start, serving=steward.serving, restore=steward.away, gone=steward.gone)
    )
    supervisor.handle_signals()
    if stoppable is not None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            loop.call_soon_threadsafe(supervisor.stop)

        stoppable(stop)
    await steward.begin()
    tasks = TaskGroup("steward")
    tasks.spawn(steward.run(), name="run")
    try:
        renewed = await supervisor.run()
    finally:
        await tasks.cancel()
    if renewed and sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, REPLACEABLE)
    return renewed


def _give_way(duty: Duty, listeners: Listeners, successor: Successor) -> None:
    """Become the program that lies on the disk now, ports and process id kept. Returns where that fails."""
    numbers = (listeners.proxy.fileno(), listeners.gateway.fileno())
    try:
        successor.check()  # it would not start with settings that are wrong: we have ours
        renew(
            ["supervise", *successor.arguments, f"--lent={','.join(map(str, numbers))}"],
            keep=numbers,
            environ=os.environ | duty.notifier.taken,
        )
    except DrawbridgeError as error:
        log.error("%s: the old supervisor goes on", error)  # noqa: TRY400  the cause is in the message


def _mandate(settings: Settings, paths: StatePaths, setup: SetupPaths, ports: tuple[int, int]) -> Mandate:
    asks = setup.machine and not is_privileged()
    return Mandate(
        arrangement=arrangement(setup),
        aims=lambda: aims(settings, paths, setup, ports=ports),
        state=paths.settings_state,
        asks=paths.settings_request if asks else None,
        ports=ports,
        surveys=not asks and (settings.manage_proxy != "none" or settings.upstream_proxy == AUTO),
        in_charge=(settings.manage_proxy, settings.manage_environment) != ("none", "none")
        or settings.capture == "transparent",
        canary=Canary().sings if settings.capture == "transparent" else None,
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


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="drawbridge supervise",
        description="Hold the ports, keep the engine (drawbridge up) running behind them, and stand in for it.",
        epilog="SIGTERM stops in order, SIGHUP reads the policy again, SIGUSR2 replaces the programs after an update.",
    )
    parser.add_argument("--policy", help="policy file, as of drawbridge up")
    parser.add_argument("--state-dir", help="where the CA, the audit trail and usage live")
    parser.add_argument("--proxy-port", type=int, help="7717 by default; 0 takes a free one")
    parser.add_argument("--gateway-port", type=int, help="7718 by default; 0 takes a free one")
    parser.add_argument(
        "--user", action="store_true", help="proxy settings are this user's, not the machine's, even for root"
    )
    parser.add_argument("--ready-file", help="written, as JSON, by each engine when it is ready")
    parser.add_argument("--lent", default="", help=argparse.SUPPRESS)
    parser.add_argument(
        "--steady",
        type=float,
        default=Limits().steady,
        help="seconds after which an engine has not died of its start (default %(default)s)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=Bounds().memory // 2**20,
        help="MB of memory above which an engine is ended (default %(default)s)",
    )
    parser.add_argument(
        "--silence",
        type=float,
        default=Bounds().silence,
        help="seconds without a sign of life after which an engine is ended (default %(default)s)",
    )
    return parser

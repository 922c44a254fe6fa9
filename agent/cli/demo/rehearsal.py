"""Plays the whole demo and reports: the scenes, then what the audit trail says of them, then the latency."""

from __future__ import annotations

import asyncio
import signal
import ssl
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from agent.audit import StoredEvent, Trail
from agent.cli.demo.clients import Clients, load_sdks, require_sdks
from agent.cli.demo.gateway_clients import GatewayClients
from agent.cli.demo.gateway_scenes import GatewayScenes
from agent.cli.demo.latency import measure
from agent.cli.demo.results import Report, Step
from agent.cli.demo.scenes import SCENES, Cast, Scene
from agent.cli.demo.stage import BANK, PROVIDERS, Stage, built
from agent.host.paths import StatePaths

type Progress = Callable[[str], None]


def perform(policy: Path | None, progress: Progress) -> Report:
    """Play the demo. Raises ConfigError where the SDKs are missing, HostError where the agent does not come up.

    Whatever ends it (also Ctrl-C, SIGTERM and a closed terminal) ends the agent and removes the directory.
    """

    async def main() -> Report:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError, AttributeError):  # Windows; not the main thread
            for name in ("SIGTERM", "SIGHUP"):
                loop.add_signal_handler(getattr(signal, name), task.cancel)
        return await _perform(policy, progress)

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _perform(policy: Path | None, progress: Progress) -> Report:
    begun = time.perf_counter()
    require_sdks()
    loading = asyncio.get_running_loop().run_in_executor(None, load_sdks)  # while the agent starts
    # Windows may hold a file of an ended process for a moment: then it stays, in a directory of temporary files
    with tempfile.TemporaryDirectory(prefix="drawbridge-demo-", ignore_cleanup_errors=True) as directory:
        progress("starting a provider and the agent on 127.0.0.1")
        async with built(Path(directory), policy) as stage:
            await loading
            steps, gateway_steps = await play(stage, progress, ours=policy is None)
            trail = Trail(StatePaths.under(Path(stage.agent.state_dir)))
            events = await asyncio.to_thread(_exchanges, trail)
            progress("measuring latency")
            latency = await measure(
                proxy=_proxy(stage),
                agent_ca=Path(stage.agent.ca_path),
                origin=stage.origins[PROVIDERS[0]],
                origin_ca=stage.origins_ca,
                trail=trail,
            )
            progress("verifying the audit trail")
            verified = await asyncio.to_thread(trail.verify)
            progress("stopping the agent")
        return Report(
            agent=stage.agent,
            policy=str(policy) if policy else "",
            steps=steps,
            gateway_steps=gateway_steps,
            events=events,
            trail_problem=disagreement(steps + gateway_steps, events),
            verified=verified,
            latency=latency,
            seconds=time.perf_counter() - begun,
        )


async def play(stage: Stage, progress: Progress, *, ours: bool) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps on intercepted connections, and those at the base URL, which need `our` policy: it names providers."""
    trusting_origin = ssl.create_default_context(cafile=str(stage.origins_ca))
    base_url = f"http://127.0.0.1:{stage.agent.gateway_port}"
    async with (
        Clients(proxy=_proxy(stage), ca_file=Path(stage.agent.ca_path)) as clients,
        GatewayClients(base_url=base_url, keys=stage.keys) as programs,
        httpx.AsyncClient(proxy=_proxy(stage), verify=trusting_origin, trust_env=False) as plain,
    ):
        cast = Cast(
            programs=clients,
            providers=stage.providers,
            bank=stage.bank,
            bank_origin=stage.origins[BANK],
            plain=plain,
        )
        steps = await _each(SCENES, cast, progress)
        scenes = GatewayScenes(programs, stage.down).scenes() if ours else ()
        return steps, await _each(scenes, cast, progress)


async def _each(scenes: tuple[Scene, ...], cast: Cast, progress: Progress) -> tuple[Step, ...]:
    steps = []
    for scene in scenes:
        progress(f"trying {scene.title}")
        steps.append(await scene.play(cast))
    return tuple(steps)


def _proxy(stage: Stage) -> str:
    return f"http://127.0.0.1:{stage.agent.proxy_port}"


def _exchanges(trail: Trail) -> tuple[StoredEvent, ...]:
    """Every exchange so far, oldest first."""
    return tuple(trail.show(row.id) for row in reversed(trail.events(kind="exchange")))


def disagreement(steps: tuple[Step, ...], events: tuple[StoredEvent, ...]) -> str:
    """Where the trail tells another story than the scenes that went as promised, empty where it does not."""
    told = [step for step in steps if step.decision for _ in range(step.exchanges)]
    if len(told) != len(events):
        return f"{len(told)} exchanges were made, and it tells of {len(events)}"
    for step, event in zip(told, events, strict=True):
        if step.ok and step.decision != event.row.decision:
            return f"of “{step.title}” it says {event.row.decision}, not {step.decision}"
    return ""

"""One process of a central node: the gateway of `assembly` behind a listener for everybody, and one on loopback.

The loopback listener has a port of its own: `drawbridge status` and `top` find this process there, and its siblings its
metrics. An end has an order: say so, wait until load balancers have heard it, take no more clients, finish what runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress

from agent import __version__
from agent.assembly import Assembly, base_url_connection
from agent.central.certificate import ServerCertificate
from agent.central.hosts import guard_for, own_names
from agent.central.orders import Orders, Seat, open_listener, worker_paths
from agent.central.readiness import Readiness, node_pages
from agent.central.siblings import CrewMetricsPage
from agent.central.terms import terms_of
from agent.central.visits import visitor
from agent.errors import ConfigError
from agent.gateway.local import LocalPage
from agent.gateway.server import GatewayServer
from agent.gateway.telemetry_pages import METRICS_PATHS
from agent.host.earlier import Earlier
from agent.host.loops import loop_factory
from agent.host.paths import StatePaths
from agent.host.runfile import RunFile, StateLock, control_token, remove_runfile, write_runfile
from agent.host.settings import Settings
from agent.host.upstream import settled
from agent.model.record import IncidentKind

log = logging.getLogger(__name__)

_ORPHAN_SECONDS = 1.0  # how often a worker looks whether its parent is there

type Ready = Callable[[RunFile, int], None]
"""Told once, with the port of the listener for everybody."""


class Node:
    """One process. `run` returns when it was told to stop, by signal, by the drain page, or by its parent's end."""

    def __init__(
        self,
        settings: Settings,
        orders: Orders,
        *,
        seat: Seat | None = None,
        on_ready: Ready | None = None,
    ) -> None:
        """`seat` is None where it serves alone."""
        self._settings = settled(settings, os.environ, Earlier())
        self._orders = orders
        self._seat = seat
        self._on_ready = on_ready
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._certificate: ServerCertificate | None = None
        self._loopback_port = 0

    def stop(self) -> None:
        """Begin an orderly end; the second time, cut what still runs. To be called on the loop."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def run(self) -> None:
        """Serve until stopped. Raises DrawbridgeError for what keeps it from starting."""
        orders, seat = self._orders, self._seat
        root = StatePaths.under(self._settings.state_dir)
        paths = worker_paths(root, seat.number) if seat is not None else root
        with ExitStack() as held:
            paths.prepare()
            held.enter_context(StateLock(paths))
            if orders.certificate is not None:
                self._certificate = ServerCertificate(orders.certificate)
            sock = socket.socket(fileno=seat.descriptor) if seat is not None else open_listener(orders.listen)
            held.callback(sock.close)
            shared = Assembly(self._settings, paths, accept=terms_of(orders), token=control_token(root))
            served = False
            try:
                readiness = Readiness(shared.accounts.reachable)
                server = await self._listen(shared, readiness, root, sock)
                served = True
                readiness.open()
                self._say_ready(shared, sock.getsockname()[1])
                self._watch(shared)
                await shared.note(IncidentKind.AGENT_STARTED, f"Drawbridge {__version__} is ready")
                await self._stopping.wait()
                readiness.drain()
                await self._drain(server)
            finally:
                remove_runfile(paths)
                await shared.aclose("Drawbridge was stopped in order" if served else "")

    async def _listen(
        self, shared: Assembly, readiness: Readiness, root: StatePaths, sock: socket.socket
    ) -> GatewayServer:
        seat, orders = self._seat, self._orders

        def pages(found: Mapping[str, LocalPage]) -> Mapping[str, LocalPage]:
            every = {**found, **node_pages(readiness, self._drain_all)}
            if seat is not None:
                for path in METRICS_PATHS:
                    ask = visitor(lambda number: worker_paths(root, number), control_token(root))
                    every[path] = CrewMetricsPage(found[path], seat.number, orders.workers, ask)
            return every

        server = await shared.start(self._status, pages, guard_for(orders.hosts, own_names()))
        self._loopback_port = await server.listen("127.0.0.1", 0, base_url_connection)
        tls = self._certificate.context if self._certificate is not None else None
        await server.serve(sock, base_url_connection, tls=tls)
        return server

    def _say_ready(self, shared: Assembly, port: int) -> None:
        runfile = RunFile(
            pid=os.getpid(),
            proxy_port=0,
            gateway_port=self._loopback_port,
            started_at=shared.started_at,
            state_dir=str(shared.paths.root),
            ca_path="",
            version=__version__,
        )
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError):  # Windows, or not the main thread
            for name in ("SIGTERM", "SIGINT"):
                loop.add_signal_handler(getattr(signal, name), self.stop)
            loop.add_signal_handler(
                signal.SIGHUP, lambda: shared.tasks.spawn(self._reload(shared), name="reload")
            )
        write_runfile(shared.paths, runfile)  # from here on a parent sends signals
        log.info("ready: %s, loopback port %d", self._orders.listen, self._loopback_port)
        if self._on_ready is not None:
            self._on_ready(runfile, port)

    def _watch(self, shared: Assembly) -> None:
        if self._seat is not None:
            shared.tasks.spawn(self._watch_parent(self._seat.parent), name="parent")

    async def _watch_parent(self, parent: int) -> None:
        there = True
        while there:
            await asyncio.sleep(_ORPHAN_SECONDS)
            there = os.getppid() == parent
        log.error("the parent process is gone: stopping")
        self._stopping.set()

    def _drain_all(self) -> None:
        """The page's order holds for the whole node, not for the worker that happened to be asked."""
        seat = self._seat
        if seat is not None and os.getppid() == seat.parent:
            os.kill(seat.parent, signal.SIGTERM)
        else:
            self._stopping.set()

    async def _drain(self, server: GatewayServer) -> None:
        orders = self._orders
        log.info("draining: clients may come for another %.0f s", orders.drain_seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(orders.drain_seconds):
                await self._hurry.wait()
        server.close()
        log.info("%d exchanges run; they get up to %.0f s", server.active, orders.finish_seconds)
        seconds = 0.0 if self._hurry.is_set() else orders.finish_seconds
        if cut := await server.drain(seconds, hurry=self._hurry):
            log.warning("%d exchanges were cut", cut)

    async def _reload(self, shared: Assembly) -> None:
        if self._certificate is not None:
            try:
                await asyncio.to_thread(self._certificate.reload)
            except ConfigError as error:
                log.error("the certificate in force stays: %s", error)  # noqa: TRY400  said in full
        await shared.reload()

    def _status(self) -> Mapping[str, object]:
        return {
            "running": True,
            "state": "draining" if self._stopping.is_set() else "serving",
            "proxy_port": 0,
            "gateway_port": self._loopback_port,
            "listen": str(self._orders.listen),
            "worker": self._seat.number if self._seat is not None else None,
            "draining": self._stopping.is_set(),
        }


def run(
    settings: Settings, orders: Orders, *, seat: Seat | None = None, on_ready: Ready | None = None
) -> None:
    """Serve in this process until told to stop."""

    async def main() -> None:
        await Node(settings, orders, seat=seat, on_ready=on_ready).run()

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(main())

"""The parent of several workers: binds the socket that they share, starts them, starts them again, tells them signals.

It serves nothing itself, and runs no event loop: there is nothing in it that could hang. Workers are started as new
processes, never forked. One listening socket is shared by all instead of one for each (SO_REUSEPORT): whoever is free
takes the next client, and what waits in a socket of a worker that died would wait for its successor.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

from agent.central.certificate import ServerCertificate
from agent.central.orders import Orders, open_listener, worker_paths
from agent.central.terms import terms_of
from agent.errors import HostError
from agent.gateway.policy_file import read_policy
from agent.host.files import make_private_directory
from agent.host.paths import StatePaths, bundled_policies
from agent.host.run import Child
from agent.host.runfile import StateLock, control_token, read_runfile
from agent.host.settings import Settings

log = logging.getLogger(__name__)

_ROUND_SECONDS = 0.1
_START_SECONDS = 60.0  # for all workers to become ready
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before a dead worker is started again; doubles each time
_STEADY_SECONDS = 60.0  # a worker that lived so long did not die of its start
_SPARE_SECONDS = 15.0  # beyond what workers give their exchanges, until they are killed


class Worker(Protocol):
    """A worker's process."""

    @property
    def pid(self) -> int:
        """The process id."""
        ...

    @property
    def code(self) -> int | None:
        """Its exit code, None while it runs."""
        ...

    def signal(self, number: int) -> None:
        """Send it a signal; none where it is gone."""
        ...


@dataclass(slots=True)
class _Place:
    """One worker's place, whoever has it."""

    worker: Worker | None = None
    since: float = 0.0
    ready: bool = False
    reload: bool = False  # it must read its policy again once it is ready
    pause: float = _FIRST_PAUSE
    due: float = 0.0


class Crew:
    """The workers. `tend` is called again and again; all times are the caller's."""

    def __init__(
        self, start: Callable[[int], Worker], count: int, *, is_ready: Callable[[int, int], bool]
    ) -> None:
        """`start` starts the worker of a number, `is_ready` tells whether the one of that number and process id
        serves."""
        self._start = start
        self._is_ready = is_ready
        self._places = [_Place() for _ in range(count)]
        self._complete = False

    @property
    def complete(self) -> bool:
        """Whether all workers were ready at the same time once."""
        return self._complete

    @property
    def alive(self) -> int:
        """How many run."""
        return sum(each.worker is not None for each in self._places)

    def tend(self, now: float) -> None:
        """Notice who ended and who is ready, start who is due. Raises HostError where a worker ends before all were
        ready: what keeps one from starting keeps all."""
        for number, place in enumerate(self._places):
            self._notice(number, place, now)
            if place.worker is None and now >= place.due:
                place.worker, place.since, place.ready = self._start(number), now, False
        self._complete = self._complete or all(each.ready for each in self._places)

    def reload(self) -> None:
        """Have all read their policy again. Who is not ready yet would die of the signal: it is told later."""
        for place in self._places:
            place.reload = True

    def tell(self, number: int) -> None:
        """Send all a signal."""
        for place in self._places:
            if place.worker is not None:
                place.worker.signal(number)

    def reap(self) -> None:
        """Forget who has ended."""
        for place in self._places:
            if place.worker is not None and place.worker.code is not None:
                place.worker = None

    def _notice(self, number: int, place: _Place, now: float) -> None:
        worker = place.worker
        if worker is None:
            return
        if worker.code is not None:
            self._buried(number, place, now)
            return
        if not place.ready and self._is_ready(number, worker.pid):
            place.ready = True
        if place.ready and place.reload:
            place.reload = False
            worker.signal(signal.SIGHUP)

    def _buried(self, number: int, place: _Place, now: float) -> None:
        assert place.worker is not None
        code, place.worker = place.worker.code, None
        if not self._complete:
            raise HostError(
                f"worker {number} did not start (exit code {code})", hint="Its error is told above."
            )
        if now - place.since >= _STEADY_SECONDS:
            place.pause = _FIRST_PAUSE
        place.due = now + place.pause
        log.error("worker %d ended (exit code %s): started again in %.1f s", number, code, place.pause)
        place.pause = min(2 * place.pause, _LONGEST_PAUSE)


def run(
    settings: Settings,
    orders: Orders,
    arguments: Sequence[str],
    *,
    on_ready: Callable[[int], None] | None = None,
) -> None:
    """Run workers with `arguments`, those of this very command, until told to stop. `on_ready` gets the port. Raises
    DrawbridgeError for what keeps them from starting, and where one had to be killed in the end."""
    root = StatePaths.under(settings.state_dir)
    with ExitStack() as held:
        root.prepare()
        make_private_directory(root.root / "workers")
        held.enter_context(StateLock(root))
        terms_of(orders)(
            read_policy(settings.policy or bundled_policies() / "default")
        )  # said once, not by each
        if orders.certificate is not None:
            ServerCertificate(orders.certificate)
        control_token(root)  # made before several would make it
        sock = held.enter_context(open_listener(orders.listen))
        port = int(sock.getsockname()[1])

        def start(number: int) -> Child:
            place = ["--worker", str(number), "--socket", str(sock.fileno()), "--parent", str(os.getpid())]
            return Child([*arguments, *place], inherit=(sock.fileno(),))

        def is_ready(number: int, pid: int) -> bool:
            running = read_runfile(worker_paths(root, number))
            return running is not None and running.pid == pid

        crew = Crew(start, orders.workers, is_ready=is_ready)
        orders_given = _Signals(crew)
        held.enter_context(orders_given)
        try:
            _serve(crew, orders_given, lambda: on_ready(port) if on_ready is not None else None)
        finally:
            sock.close()  # else clients would wait in it for workers that are gone
            _end(crew, orders_given, orders.drain_seconds + orders.finish_seconds + _SPARE_SECONDS)


class _Signals:
    """What this process was told, from `__enter__` to `__exit__`."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._before: dict[int, object] = {}
        self.stops = 0

    def __enter__(self) -> _Signals:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._told)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)  # type: ignore[arg-type]  # as it came from there

    def _told(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            self._crew.reload()
        else:
            self.stops += 1


def _serve(crew: Crew, told: _Signals, on_ready: Callable[[], object]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    announced = False
    while not told.stops:
        now = time.monotonic()
        crew.tend(now)
        if crew.complete and not announced:
            announced = True
            on_ready()
        if not crew.complete and now > deadline:
            raise HostError(f"the workers were not ready within {_START_SECONDS:.0f} s")
        time.sleep(_ROUND_SECONDS)


def _end(crew: Crew, told: _Signals, seconds: float) -> None:
    """Drain all; a second signal is passed on, too. Raises HostError where one had to be killed."""
    log.info("draining %d workers", crew.alive)
    crew.tell(signal.SIGTERM)
    passed_on = max(1, told.stops)
    deadline = time.monotonic() + seconds
    while crew.alive:
        crew.reap()
        if told.stops > passed_on:
            passed_on = told.stops
            crew.tell(signal.SIGTERM)
        if time.monotonic() > deadline:
            crew.tell(signal.SIGKILL)
            raise HostError(f"{crew.alive} workers did not end within {seconds:.0f} s and were killed")
        time.sleep(_ROUND_SECONDS)

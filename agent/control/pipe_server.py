"""The control API on a named pipe: a thread waits for clients, each client has one, and answers are made on the event
loop. The limits are those of the unix socket."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from contextlib import suppress

from agent.control.http import (
    Answer,
    Limits,
    MalformedError,
    Request,
    RequestReader,
    Respond,
    answered,
    written,
)
from agent.errors import HostError
from agent.host.peers import Peer
from agent.host.pipes import Pipe, Pipes, descriptor

log = logging.getLogger(__name__)

_READ = 16 * 1024


class PipeServer:
    """Serves one pipe until it is closed."""

    def __init__(self, respond: Respond, pipes: Pipes, limits: Limits | None = None) -> None:
        self._respond = respond
        self._pipes = pipes
        self._limits = limits or Limits()
        self._open: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._clients = 0
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, name: str, *, everybody: bool) -> None:
        """Take clients from now on; with `everybody` of all accounts. Raises HostError where somebody else has the
        name."""
        self._loop = asyncio.get_running_loop()
        try:
            access = descriptor(self._pipes.own(), everybody=everybody)
            first = self._pipes.create(name, access, first=True)
        except OSError as error:
            raise HostError(
                f"cannot listen on {name}: {error.strerror or error}",
                hint="Another program has that pipe; find out which, and end it.",
            ) from error
        threading.Thread(target=self._accept, args=(name, access, first), name="control", daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._closing = True
        self._pipes.stop()

    def _accept(self, name: str, access: str, pipe: Pipe) -> None:
        try:
            while self._pipes.accept(pipe):
                taken, pipe = pipe, self._pipes.create(name, access, first=False)
                with self._lock:
                    admitted = self._clients < self._limits.connections
                    self._clients += admitted
                if admitted:
                    threading.Thread(target=self._attend, args=(taken,), name="client", daemon=True).start()
                else:
                    self._pipes.close(taken)
        except OSError:
            if not self._closing:
                log.exception("commands are answered no more")
        finally:
            self._pipes.close(pipe)

    def _attend(self, pipe: Pipe) -> None:
        try:
            self._exchange(pipe)
        except (OSError, TimeoutError):
            pass  # a client that went away, or is too slow
        except Exception:
            log.exception("a local request failed")
        finally:
            self._pipes.close(pipe)
            with self._lock:
                self._clients -= 1

    def _exchange(self, pipe: Pipe) -> None:
        """One request and its answer. Raises OSError."""
        end = time.monotonic() + self._limits.seconds
        data = self._pipes.read(pipe, _READ, self._limits.seconds)
        peer = self._pipes.peer(pipe)  # Windows tells after the first byte
        with self._lock:
            admitted = self._open[peer.uid] < self._limits.per_peer
            self._open[peer.uid] += admitted
        if not admitted:
            return
        try:
            request = self._read(pipe, data, end)
            answer = request if isinstance(request, Answer) else self._answered(request, peer)
            self._pipes.write(pipe, written(answer), self._limits.seconds)
            with suppress(OSError):  # closing would take from the client what it has not read yet
                self._pipes.read(pipe, 1, self._limits.seconds)
        finally:
            with self._lock:
                self._open[peer.uid] -= 1

    def _read(self, pipe: Pipe, data: bytes, end: float) -> Request | Answer:
        parser = RequestReader(self._limits)
        try:
            while data:
                if (request := parser.feed(data)) is not None:
                    return request
                data = self._pipes.read(pipe, _READ, max(end - time.monotonic(), 0.0))
        except MalformedError as error:
            return Answer.refusal(error.status, str(error), code="malformed")
        raise ConnectionResetError

    def _answered(self, request: Request, peer: Peer) -> Answer:
        """Raises TimeoutError where the loop does not come to it, or has ended."""
        if self._loop is None or self._loop.is_closed():
            raise ConnectionResetError
        making = answered(self._respond, request, peer)
        return asyncio.run_coroutine_threadsafe(making, self._loop).result(self._limits.seconds)

"""Which program is behind a connection, and which app that is: asked off the event loop, remembered, never lost.

A connection waits a quarter of a second for its program, no more. What is found later is there for the connection's
next exchanges and for the records of those that run. The threads are its own: a file system that hangs holds up
nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from agent.catalog.recognition import Apps
from agent.host.groups import UserGroups
from agent.host.processes import Endpoint, ProcessFinder
from agent.host.signatures import Signatures
from agent.model.app import Asker
from agent.model.identity import Identity
from agent.model.traffic import Connection, Process

log = logging.getLogger(__name__)

type SignedIn = Callable[[str], Identity]
"""As whom a user of this machine has signed in. Never waits."""

SECONDS = 0.25
_THREADS = 4
_MAX_ASKED = 4096  # connections; those asked about longest ago are forgotten
_MAX_SEEN = 512


class Attribution:
    """Finds and remembers. To be used on the event loop."""

    def __init__(
        self,
        finder: ProcessFinder,
        apps: Callable[[], Apps],
        signatures: Signatures | None = None,
        groups: UserGroups | None = None,
        signed_in: SignedIn | None = None,
        *,
        seconds: float = SECONDS,
    ) -> None:
        """`apps` gives those of the policy in force; without `signatures` nobody is asked who vouches, without `groups`
        users are in none, without `signed_in` nobody has signed in."""
        self._finder = finder
        self._apps = apps
        self._signatures = signatures
        self._groups = groups
        self._signed_in = signed_in
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="attribution")
        self._asked: OrderedDict[str, Future[Process | None] | Process | None] = (
            OrderedDict()
        )  # by connection
        self._met: OrderedDict[Process, Process] = OrderedDict()  # one of those that are alike
        self._seen: OrderedDict[Process, tuple[Apps, Asker]] = OrderedDict()

    async def process(self, client: Endpoint, server: Endpoint) -> Process | None:
        """The program behind a client's end of a connection to us; None where the system does not say in time."""
        return await self._answer(self._ask(client, server))

    async def identified(self, connection: Connection, server: Endpoint) -> Connection:
        """The connection to our end `server`, with its program and app as far as they are known in time. The system is
        asked once about a connection."""
        client = connection.client_address
        if connection.process is None and client is not None and connection.id not in self._asked:
            asked = self._asked[connection.id] = self._ask(client, server)
            while len(self._asked) > _MAX_ASKED:
                self._asked.popitem(last=False)
            await self._answer(asked)
        return self.latest(connection)

    def latest(self, connection: Connection) -> Connection:
        """The connection with all that is known of it by now. Never waits."""
        process = connection.process or self._found(connection.id)
        if process is None:
            return connection
        process = self._completed(process)
        if process is connection.process:
            return connection
        asker = self._behind(process)
        return replace(
            connection, process=process, app=asker.app, evidence=asker.evidence, within=asker.within
        )

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._signatures is not None:
            self._signatures.close()
        if self._groups is not None:
            self._groups.close()

    def _completed(self, process: Process) -> Process:
        """With what became known since it was found."""
        if self._signatures is not None and not process.signature.verified:
            signature = self._signatures.told(process)
            if signature is not None and signature != process.signature:
                process = replace(process, signature=signature, signer=signature.signer)
        if self._groups is not None:
            groups = self._groups.told(process.user)
            if groups != process.groups:
                process = replace(process, groups=groups)
        if self._signed_in is not None:
            identity = self._signed_in(process.user)
            if identity != process.identity:
                process = replace(process, identity=identity)
        return process

    def _ask(self, client: Endpoint, server: Endpoint) -> Future[Process | None]:
        try:
            return self._threads.submit(self._find, client, server)
        except RuntimeError:  # closed
            nothing: Future[Process | None] = Future()
            nothing.set_result(None)
            return nothing

    async def _answer(self, asked: Future[Process | None]) -> Process | None:
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(asyncio.wrap_future(asked))
        except TimeoutError:
            return None

    def _find(self, client: Endpoint, server: Endpoint) -> Process | None:
        try:
            process = self._finder.find(client, server)
            if process is None:
                return None
            if self._groups is not None:
                process = replace(process, groups=self._groups.of(process.user))
            signature = self._signatures.of(process) if self._signatures is not None else None
        except Exception:
            log.exception("the program behind a connection could not be found out")
            return None
        if signature is None:
            return process
        return replace(process, signature=signature, signer=signature.signer)

    def _found(self, connection_id: str) -> Process | None:
        asked = self._asked.get(connection_id)
        if not isinstance(asked, Future):
            return asked
        if not asked.done():
            return None
        process = None if asked.cancelled() else asked.result()
        # a future holds a lock and what waited for it: two kilobytes for each of thousands of connections
        found = self._asked[connection_id] = process and self._one(process)
        return found

    def _one(self, process: Process) -> Process:
        """The one that is kept of all that are alike."""
        kept = self._met.setdefault(process, process)
        self._met.move_to_end(kept)
        while len(self._met) > _MAX_SEEN:
            self._met.popitem(last=False)
        return kept

    def _behind(self, process: Process) -> Asker:
        """The app, told once for each process and policy."""
        apps = self._apps()
        known = self._seen.get(process)
        if known is not None and known[0] is apps:
            return known[1]
        found = apps.behind(process)
        self._seen[process] = (apps, found)
        while len(self._seen) > _MAX_SEEN:
            self._seen.popitem(last=False)
        return found

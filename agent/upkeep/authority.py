"""The authority that certificates are signed under, while the agent runs: read again, extended, worried about."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable

from agent.errors import HostError
from agent.gateway.policy_file import Consequence
from agent.host.authority import Authority
from agent.host.bundle import refresh_bundle
from agent.host.paths import StatePaths
from agent.host.roots import root_store
from agent.inspection import RuleBook
from agent.model.record import IncidentKind, NoteIncident

WORRY_SECONDS = 24 * 3600.0

log = logging.getLogger(__name__)


class AuthorityKeeper:
    """One for the life of the engine."""

    def __init__(self, authority: Authority, paths: StatePaths, note: NoteIncident) -> None:
        self._authority = authority
        self._paths = paths
        self._note = note

    def publish(self) -> None:
        """Bring the combined file of roots up to date. Blocks. Raises HostError."""
        refresh_bundle(self._paths, self._authority.roots_pem, environ=os.environ, store=root_store())

    async def begun(self) -> None:
        """Record that this start has issued an intermediate, where it has."""
        if self._authority.reissued:
            await self._note(IncidentKind.CA_REISSUED, "the device's intermediate certificate was issued", ())

    async def run(self) -> None:
        """Say every day what somebody must do about the authority, for as long as nobody does."""
        while True:
            await self.tell()
            await asyncio.sleep(WORRY_SECONDS)

    async def tell(self) -> None:
        """Say and record what somebody must do about it."""
        for worry in self._authority.worries():
            log.warning("%s", worry)
            await self._note(IncidentKind.CA_WARNING, worry, ())

    async def reopen(self) -> None:
        """Sign with what somebody has put on the disk since: another root, a company's intermediate."""

        def reopen() -> bool:
            changed = self._authority.reopen()
            self.publish()
            return changed

        try:
            if await asyncio.to_thread(reopen):
                await self._note(
                    IncidentKind.CA_REISSUED,
                    f"certificates are signed under {self._authority.fingerprint} now",
                    (),
                )
        except HostError as error:
            log.error("the authority on the disk is not used, the one in force stays: %s", error)  # noqa: TRY400  said
            await self._note(IncidentKind.CA_WARNING, f"{error} {error.hint()}".strip(), ())

    async def covering(self, reload: Callable[[Consequence], Awaitable[bool]]) -> bool:
        """Reload the policy; whether it is in force. Its hosts can be signed for before it is: where they cannot, it is
        refused."""
        extended = False

        def cover(rules: RuleBook) -> None:
            nonlocal extended
            extended = self._authority.cover(rules.catalog.hosts)

        accepted = await reload(cover)
        if accepted and extended:
            await self._note(
                IncidentKind.CA_REISSUED, "the device's intermediate certificate covers other hosts now", ()
            )
        return accepted

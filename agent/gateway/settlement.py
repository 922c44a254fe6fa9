"""The end of an exchange: what it owes is paid and its record kept, before the last byte of an answer leaves."""

from __future__ import annotations

import asyncio
import logging

from agent.dialects.sockets import SOCKETS
from agent.errors import AuditError
from agent.gateway.accounting import Account
from agent.gateway.ledger import Ledger
from agent.gateway.ports import AuditSink
from agent.gateway.unified.routebook import RouteBook
from agent.gateway.wire import Wire
from agent.host.tasks import TaskGroup
from agent.model.conversation import TokenCount
from agent.model.record import AuditEvent, CacheUse, Outcome

log = logging.getLogger(__name__)


class Settlement:
    """Writes a ledger's record once: before the last byte of an answer leaves, or at the latest when all is over."""

    def __init__(
        self, ledger: Ledger, audit: AuditSink, wire: Wire, account: Account, routes: RouteBook
    ) -> None:
        self.ledger = ledger
        self.account = account
        self.routes = routes
        self._audit = audit
        self._wire = wire
        self._settled = self._unpaid = False
        self._tasks = TaskGroup("settlement")
        self._settling: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Make the record durable. Whoever is cancelled while waiting has settled all the same: a client that leaves
        now must not take its record with it."""
        if not self._settled:
            self._settled = True
            self._settling = self._tasks.begin(self._close(), name="close")
        if self._settling is not None:
            await (self._settling if self._settling.done() else asyncio.shield(self._settling))

    async def _close(self) -> None:
        """What a client has seen finished is paid for and recorded: no crash loses it. Payment and record become
        durable beside each other; a crash between the two leaves the reservation, which is charged in full."""
        tokens = self._tokens()
        paying = self._tasks.begin(self._pay(tokens), name="pay")
        if not self.account.counted:
            await paying
        self._note_cost(tokens)
        self.ledger.request_bytes = self._wire.bytes_in
        self.ledger.response_bytes = self.ledger.response_bytes or self._wire.bytes_out
        await append(self._audit, self.ledger.close())
        await paying

    async def _pay(self, tokens: TokenCount | None) -> None:
        if tokens is None:
            return
        ledger = self.ledger
        provider, model = ledger.served_fact("provider") or "", ledger.served_fact("model") or ""
        try:
            await self.account.settle(
                provider,
                model,
                tokens,
                characters=ledger.characters,
                answered=ledger.status is not None and ledger.status < 400,
                left=ledger.outcome is Outcome.CLIENT_CLOSED and ledger.was_sent,
            )
        except Exception:  # the answer is the client's all the same
            log.exception("the account of exchange %s could not be settled", ledger.id)
            self._unpaid = True

    def _tokens(self) -> TokenCount | None:
        """What the provider counted; None where no model was asked, or nobody can read how."""
        ledger = self.ledger
        spoken = ledger.rules.dialects.get(ledger.dialect) or SOCKETS.get(ledger.dialect)
        return spoken.count(ledger.usage) if spoken is not None else None

    def _note_cost(self, tokens: TokenCount | None) -> None:
        if tokens is None or self._unpaid:
            return
        ledger = self.ledger
        cost, estimated = self.account.cost
        provider, model = ledger.served_fact("provider") or "", ledger.served_fact("model") or ""
        if ledger.served_fact("cache") in (CacheUse.EXACT, CacheUse.SEMANTIC):
            cost = 0  # nobody was asked
        elif cost is None and provider:
            cost = self.routes.cost(provider, model, tokens, ledger.started_at)
        ledger.served_by(cost_nano_usd=cost, estimated=estimated)


async def append(audit: AuditSink, event: AuditEvent) -> None:
    """Record an event; where that is not possible, say so in the log."""
    try:
        await audit.append(event)
    except AuditError as error:
        log.error("audit event lost: %s", error)  # noqa: TRY400  the cause is in the message

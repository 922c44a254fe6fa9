"""What became known of a client while its exchange ran belongs into the record of the exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.gateway.ports import AuditSink, Identities
from agent.inspection import RuleBook
from agent.model.app import Evidence
from agent.model.record import AuditEvent, Exchange


class LateFacts:
    """An `AuditSink` that completes events with the program behind their connection, where that was found too late for
    the exchange's own judgement, and hands them on."""

    def __init__(self, audit: AuditSink, identities: Identities, rules: Callable[[], RuleBook]) -> None:
        self._audit = audit
        self._identities = identities
        self._rules = rules

    async def append(self, event: AuditEvent) -> None:
        """See `AuditSink`."""
        connection = event.connection
        if connection is not None and connection.process is None:
            connection = self._identities.latest(connection)
            if connection.process is not None:
                event = replace(event, connection=connection)
                if isinstance(event, Exchange):
                    before = event.asker
                    endpoint = before.app if before.evidence is Evidence.ENDPOINT else ""
                    asker = self._rules().apps.asker(connection, before.claimed, endpoint)
                    event = replace(event, asker=asker)
        await self._audit.append(event)

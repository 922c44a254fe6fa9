"""Which programs ask models: noticed as exchanges are recorded, remembered, reported when they are new or refused.

Stands where the audit trail would, since every exchange ends there. What it does in a request's way is one look-up in a
table; the file and its own events are the business of a task beside the traffic.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Protocol

from agent.errors import AuditError, HostError
from agent.gateway.ports import AuditSink
from agent.model.appearance import MAX_ACCOUNTS, Appearance, bare
from agent.model.direct import changed
from agent.model.ids import uuid7
from agent.model.login import NO_LOGIN
from agent.model.record import AuditEvent, Exchange, Incident, IncidentKind
from agent.policy.apps import Apps

log = logging.getLogger(__name__)

MAX_KNOWN = 4096
"""So many programs, by surface and user, are known at a time. The next one is not noticed until one is forgotten."""
SAVE_SECONDS = 30.0
"""Counts are written so often; what is new at once."""
_MAX_NAME = 128  # characters of a program's name
_UNKNOWN = "unknown program"
_DAY = 86_400.0

type Key = tuple[str, str, str, str]


class AppearanceStore(Protocol):
    """Keeps what was seen. Its methods block and raise HostError."""

    def read(self) -> tuple[Appearance, ...]:
        """Everything that is kept."""
        ...

    def write(self, seen: Iterable[Appearance], gone: Iterable[Appearance] = ()) -> None:
        """Keep `seen` instead of what is known of them, forget `gone`; durable when it returns."""
        ...


class Appearances:
    """An audit trail that notices who asks. Implements `AuditSink`."""

    def __init__(
        self,
        audit: AuditSink,
        store: AppearanceStore,
        apps: Callable[[], Apps],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`apps` gives the section of the policy in force, `now` is in Unix seconds."""
        self._audit = audit
        self._store = store
        self._apps = apps
        self._now = now
        self._known: dict[Key, Appearance] = {}
        self._changed: dict[Key, None] = {}
        self._new: dict[Key, Exchange] = {}
        self._told: dict[Key, float] = {}  # when a refusal was last reported
        self._notices: deque[Incident] = deque()
        self._gone: list[Appearance] = []
        self._wake = asyncio.Event()
        self._full = False
        self._open = False

    async def open(self) -> None:
        """Read what was seen before. Without its file nothing is noticed: it would all be reported again."""
        try:
            kept = await asyncio.to_thread(self._store.read)
        except HostError as error:
            log.error("programs are not noticed: %s", error)  # noqa: TRY400  said in full
            return
        self._known = {each.key: each for each in kept}
        self._open = True

    async def append(self, event: AuditEvent) -> None:
        """Record `event`. Raises AuditError."""
        try:
            await self._audit.append(event)
        finally:
            if self._open and isinstance(event, Exchange) and event.dialect:
                self._notice(event)

    async def run(self) -> None:
        """Write and report until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(SAVE_SECONDS):
                    await self._wake.wait()
            self._wake.clear()
            await self.save()

    async def save(self) -> None:
        """Write what has changed, then report what is new and what was refused: whatever was reported is on the disk
        already, so that nothing is reported twice."""
        if not self._open:
            return
        self._forget()
        changed, self._changed = self._changed, {}
        new, self._new = self._new, {}
        gone, self._gone = self._gone, []
        seen = [self._known[key] for key in changed if key in self._known]
        written = not seen and not gone
        try:
            if not written:
                await asyncio.to_thread(self._store.write, seen, gone)
                written = True
        except HostError as error:
            log.error("what was seen of programs is not kept: %s", error)  # noqa: TRY400  said in full
            return
        finally:
            if not written:  # the disk is full, or the agent stops: it is tried again
                self._changed = changed | self._changed
                self._new = new | self._new
                self._gone = gone + self._gone
        self._notices.extend(
            _first_seen(self._known[key], exchange, at=self._now()) for key, exchange in new.items()
        )
        while self._notices:
            await self._report(self._notices.popleft())

    def _notice(self, event: Exchange) -> None:
        now = self._now()
        seen = _appearance(event, now)
        key = seen.key
        known = self._known.get(key)
        if known is not None and now - known.last_seen > self._apps().forget_days * _DAY:
            known = None
        if known is None:
            if len(self._known) >= MAX_KNOWN and key not in self._known:
                if not self._full:
                    log.warning("more than %d programs were seen: further ones are not noticed", MAX_KNOWN)
                self._full = True
                return
            self._new[key] = event
            self._wake.set()
        else:
            seen = _joined(known, seen)
        self._known[key] = seen
        self._changed[key] = None
        if event.standing.refused:
            self._refused(key, seen, event, now)

    def _refused(self, key: Key, seen: Appearance, event: Exchange, now: float) -> None:
        pause = self._apps().notify_minutes * 60
        if key in self._told and now - self._told[key] < pause:
            return
        self._told[key] = now
        self._notices.append(_denied(seen, event, at=now))
        self._wake.set()

    def _forget(self) -> None:
        oldest = self._now() - self._apps().forget_days * _DAY
        for key, each in [item for item in self._known.items() if item[1].last_seen < oldest]:
            self._gone.append(each)
            del self._known[key]
            self._told.pop(key, None)
            self._full = False

    async def _report(self, incident: Incident) -> None:
        try:
            await self._audit.append(incident)
        except AuditError as error:
            log.error("audit event lost: %s", error)  # noqa: TRY400  the cause is in the message


def _appearance(event: Exchange, now: float) -> Appearance:
    asker, process = event.asker, event.connection.process
    name = process.name[:_MAX_NAME] if process is not None else _UNKNOWN
    return Appearance(
        app=asker.app,
        program="" if asker.app and asker.vouched else name,
        surface=event.surface,
        user=process.user[:_MAX_NAME] if process is not None else "",
        host=event.host,
        first_seen=now,
        last_seen=now,
        requests=1,
        blocked=int(event.decision.stops),
        evidence=asker.evidence,
        accounts=(bare(event.login),) if event.login is not NO_LOGIN else (),
    )


def _joined(known: Appearance, seen: Appearance) -> Appearance:
    accounts = known.accounts
    if seen.accounts and accounts[-1:] != seen.accounts:
        accounts = (*(each for each in accounts if each not in seen.accounts), *seen.accounts)[-MAX_ACCOUNTS:]
    return changed(
        seen,
        first_seen=known.first_seen,
        requests=known.requests + seen.requests,
        blocked=known.blocked + seen.blocked,
        accounts=accounts,
    )


def _first_seen(seen: Appearance, event: Exchange, *, at: float) -> Incident:
    state = event.standing.state
    waits = " and waits for approval" if state == "pending" else ""
    return Incident(
        id=uuid7(at),
        at=at,
        kind=IncidentKind.APP_FIRST_SEEN,
        message=f"{seen.name} was seen on {seen.surface} for the first time{waits}",
        connection=event.connection,
        detail=(*_facts(seen, event), ("evidence", seen.evidence.value), ("account", event.login.kind.value)),
    )


def _denied(seen: Appearance, event: Exchange, *, at: float) -> Incident:
    return Incident(
        id=uuid7(at),
        at=at,
        kind=IncidentKind.APP_DENIED,
        message=f"{seen.name} was refused on {seen.surface}: {event.decision.reason}",
        connection=event.connection,
        detail=(*_facts(seen, event), ("event", event.id)),
    )


def _facts(seen: Appearance, event: Exchange) -> tuple[tuple[str, str], ...]:
    return (
        ("app", seen.app),
        ("program", seen.program),
        ("surface", seen.surface),
        ("host", seen.host),
        ("user", seen.user),
        ("state", event.standing.state),
        ("rule", event.standing.rule),
    )

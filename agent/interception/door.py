"""The keeper of the front door.

Knows the policy in force, who distrusts us, and which program is behind a connection.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from agent.host.attribution import Attribution
from agent.host.earlier import Earlier
from agent.host.tasks import TaskGroup
from agent.inspection import RuleBook
from agent.interception.clienthello import ClientHello
from agent.interception.distrust import DistrustLog, Sign, sign_of
from agent.interception.engine import Engine, Intercepted
from agent.interception.pac import pac_file
from agent.interception.request_head import ProxyHead
from agent.interception.scope import Passage, Way, decide
from agent.interception.strangers import TELLING, Strangers
from agent.model.ids import uuid7
from agent.model.record import AuditEvent, Incident, IncidentKind
from agent.model.traffic import Connection, Process
from agent.policy import DistrustAction

TOLD_LIMIT = 1024  # hosts without a certificate, of which it is told

type Record = Callable[[AuditEvent], Awaitable[None]]
type Rules = Callable[[], RuleBook]
type Passes = Callable[[str], bool]
"""Whether connections to a host pass unseen, since interception is paused."""


def _guarded(host: str) -> bool:
    del host
    return False


class Door:
    """Judges and serves the connections of the front door."""

    def __init__(
        self,
        *,
        rules: Rules,
        engine: Engine,
        attribution: Attribution,
        record: Record,
        tasks: TaskGroup,
        ports: Callable[[], tuple[int, int]],
        passes: Passes = _guarded,
        shields: Callable[[str], bool] = _guarded,
        earlier: Callable[[], Earlier] = Earlier,
        permits: Callable[[str], bool] = lambda _: True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`shields` says which hosts are never read, whatever the policy's catalog says of them; `earlier` tells where
        programs were led before us; `permits` says for which hosts there can be a certificate."""
        self._rules = rules
        self._engine = engine
        self._attribution = attribution
        self._record = record
        self._tasks = tasks
        self._ports = ports
        self._passes = passes
        self._shields = shields
        self._permits = permits
        self._earlier = earlier
        self._clock = clock
        self._unpermitted: set[str] = set()  # hosts of which it was told
        self._distrust = DistrustLog()
        self._strangers = Strangers()
        self._asking_who = False

    def known(self, host: str) -> bool:
        """See Keeper."""
        return self._rules().catalog.surface(host) is not None

    async def judge(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> Passage:
        """See Keeper. A program that refuses our certificate passes unseen where the policy lets it, for a time."""
        rules = self._rules()
        passage = decide(rules.catalog, head.host, hello)
        if passage.way is not Way.INTERCEPT:
            return passage
        host = hello.sni if hello is not None and hello.sni else head.host
        if self._shields(host):
            return Passage(way=Way.TUNNEL, surface=passage.surface)
        if self._passes(host):
            return await self._pass_paused(head, hello, passage, peer)
        if not self._permits(host):
            return await self._without_certificate(rules, head, hello, passage, peer)
        if not self._distrust:
            return passage
        process = await self._attribution.process(peer, self._server(head))
        if process is not None and self._distrust.passes(_program(process), host, now=self._clock()):
            await self._incident(
                IncidentKind.BYPASS,
                f"{process.name} refuses our certificate for {host}: tunnelled unseen, as policy allows",
                replace(self._facts(head, hello, passage, peer), process=process),
            )
            return Passage(way=Way.TUNNEL, surface=passage.surface)
        return passage

    async def _pass_paused(
        self, head: ProxyHead, hello: ClientHello | None, passage: Passage, peer: tuple[str, int]
    ) -> Passage:
        facts = await self._described(head, self._facts(head, hello, passage, peer))
        host = facts.sni or facts.connect_host
        await self._incident(
            IncidentKind.BYPASS, f"a connection to {host} passes unseen: interception is paused", facts
        )
        return Passage(way=Way.TUNNEL, surface=passage.surface, paused=True)

    async def intercept(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        head: ProxyHead,
        hello: ClientHello,
        passage: Passage,
    ) -> None:
        """See Keeper. The program is asked for while it still waits for our certificate: one that refuses it is gone a
        moment later, and the system tells nothing of a socket that is closed. The first exchange would wait as long."""
        peer = writer.get_extra_info("peername")
        facts = self._facts(head, hello, passage, (peer[0], peer[1]))
        describe = self._tasks.spawn(self._described(head, facts), name="describe")
        await asyncio.wait((describe,))
        await self._engine.run(reader, writer, Intercepted(facts, describe))

    async def refused(self, head: ProxyHead, passage: Passage, peer: tuple[str, int]) -> None:
        """See Keeper."""
        facts = self._facts(head, None, passage, peer)
        message = f"a connection was refused: {passage.reason}"
        await self._incident(IncidentKind.MISDIRECTED, message, facts)

    def tunnelled(self, head: ProxyHead, hello: ClientHello | None, peer: tuple[str, int]) -> None:
        """See Keeper. Which AI programs go to hosts that nobody catalogued is told once for each pair; for that, some
        of the connections have their program looked for, one at a time, while their bytes flow."""
        discovery = self._rules().policy.discovery
        if not (discovery.enabled and discovery.unknown_hosts) or self._asking_who:
            return
        host = hello.sni if hello is not None and hello.sni else head.host
        if not self._strangers.samples(host, self._clock()):
            return
        self._asking_who = True
        facts = self._facts(head, hello, Passage(way=Way.TUNNEL), peer)
        self._tasks.spawn(self._stranger(head, facts, host), name="stranger")

    async def _stranger(self, head: ProxyHead, facts: Connection, host: str) -> None:
        try:
            facts = await self._described(head, facts)
        finally:
            self._asking_who = False
        app = self._rules().apps.get(facts.app)
        if app is None or app.kind not in TELLING or not self._strangers.met(facts.app, host):
            return
        message = f"{app.name} talks to {host}, which is not in the catalog"
        await self._incident(
            IncidentKind.UNKNOWN_HOST,
            message,
            facts,
            (("app", facts.app), ("host", host), ("evidence", facts.evidence.value)),
        )

    async def _without_certificate(
        self,
        rules: RuleBook,
        head: ProxyHead,
        hello: ClientHello | None,
        passage: Passage,
        peer: tuple[str, int],
    ) -> Passage:
        """A host for which the company's intermediate gives no certificate passes unseen, as while no engine runs; or
        nowhere, if policy closes it. Told once for each host."""
        host = hello.sni if hello is not None and hello.sni else head.host
        if rules.policy.closed((host,)):
            reason = f"no certificate can be made for {host!r}, and policy lets nothing pass unseen"
            return Passage(way=Way.REFUSE, surface=passage.surface, reason=reason)
        if host not in self._unpermitted and len(self._unpermitted) < TOLD_LIMIT:
            self._unpermitted.add(host)
            message = f"no certificate can be made for {host}: tunnelled unseen (drawbridge ca status)"
            await self._incident(IncidentKind.BYPASS, message, self._facts(head, hello, passage, peer))
        return Passage(way=Way.TUNNEL, surface=passage.surface)

    def pac(self) -> str:
        """See Keeper."""
        rules = self._rules()
        hosts = rules.catalog.hosts
        closed = rules.policy.closed(hosts)
        return pac_file(hosts, self._ports()[0], closed=closed, earlier=self._earlier())

    def trusted(self, intercepted: Intercepted, error: str) -> None:
        """A client accepted our certificate."""
        del error
        self._tasks.spawn(self._note_trust(intercepted), name="trust")

    def distrusted(self, intercepted: Intercepted, error: str) -> None:
        """A client broke off the handshake."""
        self._tasks.spawn(self._note_distrust(intercepted, error), name="distrust")

    async def _note_trust(self, intercepted: Intercepted) -> None:
        facts = await intercepted.describe
        self._distrust.trusted(_program(facts.process), facts.sni or facts.connect_host)

    async def _note_distrust(self, intercepted: Intercepted, error: str) -> None:
        sign = sign_of(error)
        if sign is Sign.OTHER:
            return
        facts = await intercepted.describe
        host = facts.sni or facts.connect_host
        if sign is Sign.UNSAID and self._distrust.trusts(_program(facts.process), host):
            return  # a program that ends, or drops a spare connection, in the middle of a handshake
        distrust = self._rules().policy.client_distrust
        passes = False
        if facts.process is not None and distrust.action is DistrustAction.TUNNEL:
            passes = self._distrust.refused(
                _program(facts.process),
                host,
                said_why=sign is Sign.DISTRUST,
                now=self._clock(),
                hours=distrust.hours,
            )
        name = facts.process.name if facts.process else "an unknown program"
        outcome = f"it may pass unseen for {distrust.hours} h" if passes else "its connections stay closed"
        await self._incident(
            IncidentKind.CLIENT_DISTRUST, f"{name} refused our certificate for {host}: {outcome}", facts
        )

    def _facts(
        self, head: ProxyHead, hello: ClientHello | None, passage: Passage, peer: tuple[str, int]
    ) -> Connection:
        return Connection(
            id=uuid7(self._clock()),
            tier=passage.tier,
            client_address=peer,
            connect_host=head.host,
            connect_port=head.port,
            sni=hello.sni if hello is not None else "",
        )

    async def _described(self, head: ProxyHead, facts: Connection) -> Connection:
        return await self._attribution.identified(facts, self._server(head))

    def _server(self, head: ProxyHead) -> tuple[str, int]:
        """The other end of a client's connection, as the client's own socket has it."""
        return (head.host, head.port) if head.captured else ("127.0.0.1", self._ports()[0])

    async def _incident(
        self, kind: IncidentKind, message: str, facts: Connection, detail: tuple[tuple[str, str], ...] = ()
    ) -> None:
        now = self._clock()
        await self._record(
            Incident(id=uuid7(now), at=now, kind=kind, message=message, connection=facts, detail=detail)
        )


def _program(process: Process | None) -> str:
    """What identifies a program over its restarts."""
    return "" if process is None else f"{process.user}:{process.executable}:{process.name}"

"""WebSocket upgrades (RFC 6455). On an inference path whose messages are known (`Endpoint.socket`) they are inspected
message by message (`sockets/`); on any other they are refused, so that the client falls back to HTTPS at once.
Elsewhere on a catalogued host the bytes are piped as they are. Never relayed unseen where models are asked."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from agent.accounts import presented
from agent.errors import AuditError, UpstreamError
from agent.gateway import headers
from agent.gateway.asking import Asking, Who
from agent.gateway.local import Guard, foreign
from agent.gateway.ports import AuditSink, PolicyInForce
from agent.gateway.routing import Refusal, Route
from agent.gateway.sockets.service import NoSocket, Sockets
from agent.gateway.transport.base import Transport, Tunnel
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook, Scope, judge_access, judge_app
from agent.model.ids import short_ref, uuid7
from agent.model.record import Incident, IncidentKind
from agent.model.traffic import Tier

log = logging.getLogger(__name__)

REFUSED = "426 Upgrade Required"
"""Codex falls back to HTTPS on it without a retry (tests/clients/README.md)."""

PIPE_CHUNK = 64 * 1024


class UpgradeHandler:
    """Answers requests to upgrade."""

    def __init__(
        self,
        policy: PolicyInForce,
        transport: Transport,
        audit: AuditSink,
        asking: Asking,
        guard: Guard = foreign,
        sockets: Sockets | None = None,
    ) -> None:
        """`asking` tells who asks; `guard` says which requests of base-URL clients are not served; without `sockets`
        none is inspected."""
        self._policy = policy
        self._transport = transport
        self._audit = audit
        self._asking = asking
        self._guard = guard
        self._sockets = sockets

    @property
    def active(self) -> int:
        """Answers that run."""
        return self._sockets.turns if self._sockets is not None else 0

    @property
    def tasks(self) -> frozenset[asyncio.Task[object]]:
        """What has to end before the gateway can: the inspected connections."""
        return self._sockets.tasks if self._sockets is not None else frozenset()

    def close(self) -> None:
        """Take no more to inspect; those that run end after their answer."""
        if self._sockets is not None:
            self._sockets.close()

    async def handle(self, request: ClientRequest, client: asyncio.Transport) -> None:
        """Refuse the upgrade, or carry it until one side ends. Takes over the client's transport."""
        server = client.get_extra_info("sockname")
        if request.connection.tier is Tier.BASE_URL and (problem := self._guard(request.headers, server[1])):
            _refuse(client, "403 Forbidden", problem)  # no browser asks before a page opens a WebSocket
            return
        connection = await self._asking.identified(request.connection, server or None)
        request = replace(request, connection=connection)
        rules, now = self._policy.rules, time.time()
        route = self._asking.route(rules, request, at=now)
        if isinstance(route, Refusal):
            if route.misdirected:
                await self._note(request, IncidentKind.MISDIRECTED, route.message)
            _refuse(client, f"{route.status} Refused", route.message)
            return
        who = self._asking.who(rules, request, route)
        if self._inspects(route):
            await self._inspect(rules, request, route, who, client)
            return
        if route.endpoint is not None or not route.surface.websockets:
            await self._noted(request, route)
            _refuse(client, REFUSED, "this path is inspected over HTTPS; WebSocket is refused by Drawbridge")
            return
        if message := await self._forbidden(rules, request, route, who):
            _refuse(client, "403 Forbidden", message)
            return
        await self._pipe(request, route, client)

    def _inspects(self, route: Route) -> bool:
        """Whether its messages can be read: not where the gateway would choose who answers each of them."""
        return (
            self._sockets is not None
            and route.endpoint is not None
            and bool(route.endpoint.socket)
            and route.upstream != "gateway"
        )

    async def _inspect(
        self, rules: RuleBook, request: ClientRequest, route: Route, who: Who, client: asyncio.Transport
    ) -> None:
        assert self._sockets is not None
        assert route.endpoint is not None
        if message := await self._forbidden(rules, request, route, who):
            # over HTTPS, where there is such a way, the client is told in its own dialect
            _refuse(client, REFUSED if route.endpoint.dialect else "403 Forbidden", message)
            return
        try:
            await self._sockets.serve(request, route, client, who)
        except NoSocket as refused:
            await self._noted(request, route)
            _refuse(client, f"{refused.status} Refused", str(refused))

    async def _forbidden(self, rules: RuleBook, request: ClientRequest, route: Route, who: Who) -> str:
        """Why an access rule, or one about programs, has something against the connection, or empty."""
        now = time.time()
        subject = self._asking.subject(who, route, request.connection, at=now)
        scope: Scope = rules.scope(subject, ref=short_ref(uuid7(now)))
        for refused in (judge_app(scope), judge_access(scope)):
            if refused is not None and refused.stops and refused.applied:
                facts = (("host", route.host), ("path", route.path), ("rule", ", ".join(refused.rule_ids)))
                await self._note(request, IncidentKind.UPGRADE_REFUSED, refused.reason, facts)
                return refused.message
        return ""

    async def _noted(self, request: ClientRequest, route: Route) -> None:
        await self._note(
            request,
            IncidentKind.UPGRADE_REFUSED,
            "a WebSocket that may carry prompts was refused; the client is expected to use HTTPS",
            (("host", route.host), ("path", route.path)),
        )

    async def _pipe(self, request: ClientRequest, route: Route, client: asyncio.Transport) -> None:
        if client.is_closing():
            return
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        client.set_protocol(protocol)
        protocol.connection_made(client)
        writer = asyncio.StreamWriter(client, protocol, reader, asyncio.get_running_loop())
        try:
            upstream = await self._transport.connect(route.target)
        except UpstreamError as error:
            _refuse(client, "502 Bad Gateway", str(error))
            return
        try:
            await upstream.write(_head(request, route))
            async with asyncio.TaskGroup() as group:
                up = group.create_task(_upwards(reader, upstream))
                await _downwards(upstream, writer)
                up.cancel()
        except* (OSError, UpstreamError):
            pass
        finally:
            await upstream.aclose()
            writer.close()

    async def _note(
        self,
        request: ClientRequest,
        kind: IncidentKind,
        message: str,
        detail: tuple[tuple[str, str], ...] = (),
    ) -> None:
        now = time.time()
        incident = Incident(
            id=uuid7(now), at=now, kind=kind, message=message, connection=request.connection, detail=detail
        )
        try:
            await self._audit.append(incident)
        except AuditError as error:
            log.error("audit event lost: %s", error)  # noqa: TRY400  the cause is in the message


async def _upwards(client: asyncio.StreamReader, upstream: Tunnel) -> None:
    while data := await client.read(PIPE_CHUNK):
        await upstream.write(data)
    await upstream.aclose()  # the client left: so does the upstream's side


async def _downwards(upstream: Tunnel, client: asyncio.StreamWriter) -> None:
    while data := await upstream.read():
        client.write(data)
        await client.drain()


def _head(request: ClientRequest, route: Route) -> bytes:
    query = presented.query_without_keys(route.query)
    target = f"{route.target.base_path}{route.path}".encode("latin-1") + (b"?" + query if query else b"")
    lines = [b"GET " + target + b" HTTP/1.1", b"host: " + route.host.encode()]
    kept = headers.forwardable(presented.without_keys(request.headers), drop=frozenset({b"host"}))
    if route.imposed:
        kept = headers.imposed(kept, route.imposed)
    lines += [name + b": " + value for name, value in kept]
    lines += [b"connection: Upgrade", b"upgrade: websocket", b"", b""]
    return b"\r\n".join(lines)


def _refuse(client: asyncio.Transport, status: str, message: str) -> None:
    body = message.encode()
    client.write(
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n".encode()
        + body
    )
    client.close()

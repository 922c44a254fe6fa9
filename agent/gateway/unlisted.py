"""Requests to models at paths that the catalog does not list: recognised, reported once, and bound as policy says.

A page host may get an OpenAI-compatible endpoint overnight, and a vendor a new path. Such a request is told by its
path's end and the shape of its body together (`agent/catalog/telltales.toml`); a path that a row lists under `never`
is not even considered, and what looks like nothing known passes as it came.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from agent.dialects import DIALECTS
from agent.gateway.ledger import Ledger
from agent.gateway.ports import AuditSink
from agent.gateway.routing import Refusal, Refused, Route, Way, bound
from agent.gateway.scans import ScanPool
from agent.gateway.settlement import append
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.ids import uuid7
from agent.model.record import Incident, IncidentKind
from agent.model.surface import Endpoint
from agent.policy import UnknownSurface

REMEMBERED = 1024
"""Places of which an incident was recorded; the oldest is forgotten first, and may be reported again."""

type _Place = tuple[str, str, str]


class Unlisted:
    """Recognises such requests. One for the life of the gateway."""

    def __init__(self, audit: AuditSink, scans: ScanPool) -> None:
        """A large body is looked at by `scans`, beside the loop."""
        self._audit = audit
        self._scans = scans
        self._said: OrderedDict[_Place, None] = OrderedDict()

    def suspects(self, request: ClientRequest, route: Route, rules: RuleBook) -> bool:
        """Whether a request may be one, by its path: then its body is worth a look."""
        if route.endpoint is not None or route.never or route.surface.own or request.method != "POST":
            return False
        return bool(rules.telltales.at(route.plain_path))

    async def bind(
        self, request: ClientRequest, route: Route, body: bytes, ledger: Ledger, way: Way | None = None
    ) -> Route:
        """The route of a request that was suspected: with an endpoint where it is recognised and policy has it judged,
        else as it was. `body` is free of Content-Encoding, `way` is the program's. Raises Refused where what asks a
        model has no way out."""
        with ledger.working():
            known = ledger.rules.telltales
            dialect = await self._scans.run(len(body), known.recognised, route.plain_path, body)
        if dialect not in DIALECTS:
            return route
        await self._report(request, route, dialect, ledger)
        if ledger.rules.policy.unknown_surface is UnknownSurface.REPORT:
            return route
        found = bound(
            ledger.rules, replace(route, endpoint=Endpoint(path=route.plain_path, dialect=dialect)), way
        )
        if isinstance(found, Refusal):
            raise Refused(found.status, found.message)
        ledger.routed(found)
        return found

    async def _report(self, request: ClientRequest, route: Route, dialect: str, ledger: Ledger) -> None:
        app = request.connection.app
        place = (route.host, dialect, app)
        if place in self._said:
            return
        self._said[place] = None
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        action = ledger.rules.policy.unknown_surface
        incident = Incident(
            id=uuid7(ledger.started_at),
            at=ledger.started_at,
            kind=IncidentKind.UNKNOWN_SURFACE,
            message=f"{app or 'a client'} asks a model at {route.host}{route.path}, which the catalog does not list",
            connection=request.connection,
            detail=(
                ("host", route.host),
                ("path", route.path),
                ("dialect", dialect),
                ("surface", route.surface.id),
                ("app", app),
                ("action", action.value),
            ),
        )
        await append(self._audit, incident)

"""Who asks, by all that is known before a request is read: one way for every door, HTTP and WebSocket.

Owns what is remembered of accounts. Decides nothing: it tells what `subjects` and the policy's rules judge by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.accounts import presented
from agent.accounts.accounts import ANYBODY, Accounts, Principal
from agent.accounts.denials import Denial
from agent.gateway.bearings import Bearings, Remembered, remembered
from agent.gateway.logins import Logins, shown_virtual
from agent.gateway.ports import Identities
from agent.gateway.routing import Refusal, Route, Way, route_base_url, route_intercepted
from agent.gateway.subjects import subject_of, way_for
from agent.gateway.transport.base import Headers
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.app import Asker
from agent.model.device import NO_DEVICE, Device
from agent.model.login import NO_LOGIN, Login
from agent.model.traffic import Connection, Tier
from agent.policy import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The app that asks, how that is known, and the account it asks with."""

    asker: Asker
    login: Login = NO_LOGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownerless:
    """A request that has a way, and no account that may pay."""

    route: Route
    who: Who
    denial: Denial


class Asking:
    """Tells who asks. One for the life of the gateway; for one thread, the event loop's."""

    def __init__(
        self, accounts: Accounts, device: Device = NO_DEVICE, identities: Identities | None = None
    ) -> None:
        """`identities` knows the programs behind connections, where they are on this machine."""
        self.device = device
        self._accounts = accounts
        self._identities = identities
        self._logins = Logins()

    async def identified(self, connection: Connection, server: tuple[str, int] | None) -> Connection:
        """The connection to our end `server` with its program. The front door has its own looked for; of clients that
        were pointed here, whoever asks something is asked about."""
        if self._identities is None:
            return connection
        if connection.tier is Tier.BASE_URL and connection.process is None and server is not None:
            return await self._identities.identified(connection, server)
        return self._identities.latest(connection)

    def latest(self, connection: Connection) -> Connection:
        """The connection with all that is known of it by now. Never waits."""
        return connection if self._identities is None else self._identities.latest(connection)

    def bearings(
        self, rules: RuleBook, request: ClientRequest, *, at: float
    ) -> Bearings | Refusal | Ownerless:
        """All of it: where a request goes, who asks and whose account pays."""
        memory, edition = request.memory, (self._accounts.edition, self._logins.edition)
        last = memory.last if memory is not None else None
        if isinstance(last, Remembered) and last.fit(rules, request, edition, at):
            return last.bearings
        route = self.route(rules, request, at=at)
        if isinstance(route, Refusal):
            return route
        who = self.who(rules, request, route)
        principal = self.principal(who, request, route, at=at)
        if isinstance(principal, Denial):
            return Ownerless(route=route, who=who, denial=principal)
        kept = places_without_our_keys(request, route)
        query = route.query if kept is None else presented.query_without_keys(route.query)
        found = Bearings(
            route=route,
            asker=who.asker,
            login=who.login,
            principal=principal,
            onward=route if query == route.query else replace(route, query=query),
            kept=kept,
        )
        if memory is not None and not rules.policy.apps.ways:  # they may go by the time of day
            memory.last = remembered(found, rules, request, edition)
        return found

    def route(self, rules: RuleBook, request: ClientRequest, *, at: float) -> Route | Refusal:
        """Where a request goes, by its door and by what the policy says of the program that asks."""
        way = self.way(rules, request, at=at)
        if request.connection.tier is Tier.BASE_URL:
            return route_base_url(rules, request.target, way)
        return route_intercepted(rules, request.connection, request.headers, request.target, way)

    def way(self, rules: RuleBook, request: ClientRequest, *, at: float) -> Way:
        """Which way the policy sends what a request asks, by the program and account behind it."""

        def who(route: Route) -> tuple[Asker, Login]:
            found = self.who(rules, request, route)
            return found.asker, found.login

        return way_for(rules, request.connection, who, at=at, device=self.device)

    def who(self, rules: RuleBook, request: ClientRequest, route: Route) -> Who:
        """Who asks by a route. A key of ours is no account at the service."""
        endpoint = route.endpoint.app if route.endpoint is not None else ""
        asker = rules.apps.asker(request.connection, rules.apps.claimed(request.headers), endpoint)
        shown = presented.find(request.headers, route.query)
        fields, query = request.headers, route.query
        if shown is not None:
            fields = tuple(presented.without_keys(fields))
            query = presented.query_without_keys(query)
        login = self._logins.login_of(rules, route.host, fields, query)
        return Who(asker=asker, login=shown_virtual(login, shown))

    def subject(self, who: Who, route: Route, connection: Connection, *, at: float) -> Subject:
        """What rules ask about, before anything of a body is known."""
        return subject_of(route, connection, at=at, asker=who.asker, login=who.login, device=self.device)

    def principal(self, who: Who, request: ClientRequest, route: Route, *, at: float) -> Principal | Denial:
        """Whose account pays: by the key that the request shows, else by the policy's bindings."""
        if not self._accounts.active:
            return ANYBODY
        connection = request.connection
        subject = self.subject(who, route, connection, at=at)
        return self._accounts.principal(
            presented.find(request.headers, route.query),
            now=at,
            user=subject.user,
            name=subject.identity.name,
            groups=subject.groups,
            device=subject.device,
            app=who.asker.app if who.asker.vouched else "",
            intercepted=connection.tier is not Tier.BASE_URL,
        )

    def learn(self, rules: RuleBook, request: ClientRequest, route: Route, answer: Headers) -> Login | None:
        """Note what an answer says of the account that asked; the account as it is known now, None if it said nothing
        new. The request is one without keys of ours."""
        asked = (rules, route.host, request.headers, route.query)
        return self._logins.login_of(*asked) if self._logins.learn(*asked, answer) else None


def places_without_our_keys(request: ClientRequest, route: Route) -> tuple[int, ...] | None:
    """The places of the headers that may travel on: a virtual key is for us alone. None where there is no such key."""
    if presented.find(request.headers, route.query) is None:
        return None
    return tuple(place for place, each in enumerate(request.headers) if not presented.is_key(*each))

"""What a request's head says of its way and of who pays; and when the next request on a connection says the same.

Clients keep their connections and repeat their heads: but for a length and an id or two, what the last request showed
is what this one shows. What was found out then is good now while the policy, the program behind the connection, the
accounts and what is known of logins are the very ones it was found out from.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.accounts.accounts import Principal
from agent.gateway.routing import Route
from agent.gateway.transport.base import Headers
from agent.gateway.wire import ClientRequest
from agent.inspection import RuleBook
from agent.model.app import Asker
from agent.model.direct import changed, direct
from agent.model.login import Login

VARYING = frozenset(
    {
        b"content-length",
        b"traceparent",
        b"tracestate",
        b"x-request-id",
        b"idempotency-key",
        b"x-client-request-id",
    }
)
"""Headers whose values change from request to request and say nothing of who asks, unless a policy's program is told by
one of them."""


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Bearings:
    """Where a request goes (`route`), who asks, and whose account pays. `onward` is the route as it may travel on, and
    `kept` are the places of the headers that may, None where all do."""

    route: Route
    asker: Asker
    login: Login
    principal: Principal
    onward: Route
    kept: tuple[int, ...] | None = None

    def travelling(self, request: ClientRequest) -> ClientRequest:
        """The request without what is for us alone."""
        if self.kept is None:
            return request
        fields = request.headers
        return changed(request, headers=tuple([fields[place] for place in self.kept]))


@dataclass(frozen=True, slots=True)
class Remembered:
    """Bearings, and what they were found out from. `edition` stands for the accounts and the logins of that moment."""

    bearings: Bearings
    rules: RuleBook
    request: ClientRequest
    edition: tuple[object, object]
    varying: tuple[int, ...]  # the places of headers that may say something else

    def fit(self, rules: RuleBook, request: ClientRequest, edition: tuple[object, object], at: float) -> bool:
        """Whether they are those of this request, too, which came at the Unix time `at`."""
        then, key = self.request, self.bearings.principal.key
        return (
            self.rules is rules
            and then.connection is request.connection
            and then.target == request.target
            and (key is None or key.expires_at is None or at < key.expires_at)
            and self._same(request.headers)
            and self.edition[0] is edition[0]
            and self.edition[1] is edition[1]
        )

    def _same(self, headers: Headers) -> bool:
        known = self.request.headers
        if known == headers:
            return True
        if len(known) != len(headers):
            return False
        fields = list(headers)
        for place in self.varying:
            if fields[place][0] == known[place][0]:
                fields[place] = known[place]
        return known == tuple(fields)


def remembered(
    bearings: Bearings, rules: RuleBook, request: ClientRequest, edition: tuple[object, object]
) -> Remembered:
    """`bearings` for the next request on the connection."""
    telling = rules.apps.told_by | rules.logins.headers.keys()
    places = [
        place for place, (name, _) in enumerate(request.headers) if name in VARYING and name not in telling
    ]
    return Remembered(bearings, rules, request, edition, tuple(places))

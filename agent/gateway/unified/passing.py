"""Requests of the gateway's own API that ask no model (files, batches): through to one provider, under its key."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import quote

from agent.gateway import headers
from agent.gateway.accounting import Account
from agent.gateway.routing import Refused, Route, query_without_secrets, target_of
from agent.gateway.transport.base import Headers
from agent.gateway.unified.crossing import crossing_fields
from agent.gateway.unified.refusals import refusal
from agent.gateway.unified.routebook import RouteBook
from agent.gateway.wire import ClientRequest
from agent.model.provider import Scheme, Spoken
from agent.routing.configured import ConfiguredProvider

PROVIDER_HEADER = b"x-drawbridge-provider"
_OPERATIONS = ("files", "batches")
_READING = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_UPLOADS = frozenset({"/v1/files"})  # a file alone asks nothing
_PLAIN = "/-_.~:@!$'()*,="  # stands in a path as it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """To whom such a request goes. `route` has no credential yet: who may use which of the provider's keys is the
    account's to say."""

    provider: ConfiguredProvider
    route: Route
    fields: Headers

    def opened_with(self, reference: str) -> Route:
        """The way with a key, by its reference; without one where that is empty."""
        provider = self.provider
        name = provider.row.key_header if provider.scheme is Scheme.HEADER else "authorization"
        return replace(self.route, credential=(name, reference) if reference else None)


def way_of(request: ClientRequest, route: Route, book: RouteBook, account: Account) -> tuple[Route, Headers]:
    """The way of a request that asks no model, with the key that is lent for it, and its headers. Raises Refused."""
    if route.upstream == "gateway":
        passage = passing(book, route, request.headers)
        key = lent_key(passage.provider, account, request.method, route.plain_path)
        return passage.opened_with(key), passage.fields
    if route.upstream == "provider" and route.credential is not None:
        provider = book.providers[route.surface.id]
        key = lent_key(provider, account, request.method, route.plain_path)
        opened = replace(
            route, credential=(route.credential[0], key), query=query_without_secrets(route.query)
        )
        return opened, tuple(crossing_fields(request.headers, provider, same=True))
    return route, request.headers


def passing(book: RouteBook, route: Route, fields: Headers) -> Passage:
    """The way of such a request: to the provider that the header `x-drawbridge-provider` names, or to the only one that
    has such an operation. Raises Refused."""
    operation, rest = _operation(route.plain_path)
    able = {each.id: each for each in book.providers.values() if _spoken(each, operation) is not None}
    named = headers.get(fields, PROVIDER_HEADER).decode("latin-1")
    if not named and len(able) > 1:
        raise Refused(400, f"say in the header x-drawbridge-provider who keeps them: {', '.join(able)}")
    provider = able.get(named) if named else next(iter(able.values()), None)
    if provider is None:
        known = f"there is {', '.join(able)}" if able else "the policy names none that does"
        raise Refused(404, f"{named or 'no provider'} keeps no {operation} here: {known}")
    return Passage(
        provider=provider,
        route=_route(provider, operation, rest, route),
        fields=tuple(crossing_fields(fields, provider, same=True)),
    )


def lent_key(provider: ConfiguredProvider, account: Account, method: str, path: str) -> str:
    """The reference of the provider's key that may be used for what asks no model that we know of; empty where it needs
    none. Raises Refused."""
    denial = account.may_use_provider(provider.id)
    if denial is None and method not in _READING and path not in _UPLOADS:
        denial = account.may_go_uncounted(provider.id)
    if denial is not None:
        raise refusal(denial)
    if not provider.keys:
        return ""
    key = account.lends(provider.id, provider.keys)
    if key is None:
        raise Refused(403, f"no key of {provider.id} may be used for this")
    return key.key


def _operation(path: str) -> tuple[str, str]:
    """The operation at a normalised path, and what follows its name."""
    _, _, name, *rest = path.split("/")
    if name not in _OPERATIONS:
        raise Refused(404, f"there is nothing at {path[:80]!r}")
    return name, "".join(f"/{each}" for each in rest)


def _spoken(provider: ConfiguredProvider, operation: str) -> Spoken | None:
    if provider.scheme not in (Scheme.BEARER, Scheme.HEADER, Scheme.NONE):
        return None
    return next((each for each in provider.row.speaks if operation in each.paths), None)


def _route(provider: ConfiguredProvider, operation: str, rest: str, route: Route) -> Route:
    """`rest` in its one spelling, so that nothing in it leads out of where the operation stands."""
    spoken = _spoken(provider, operation)
    assert spoken is not None
    url, _, query = provider.url(spoken, operation).partition("?")
    target = target_of(url)
    own = query.encode("latin-1")
    return replace(
        route,
        host=target.host,
        path=target.base_path + quote(rest, safe=_PLAIN),
        target=replace(target, base_path=""),
        query=b"&".join(part for part in (own, query_without_secrets(route.query)) if part),
        credential=None,
    )

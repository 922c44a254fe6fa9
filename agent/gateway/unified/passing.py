"""Requests of the gateway's own API that ask no model (files, batches): through to one provider, under its key."""

from __future__ import annotations

from dataclasses import replace

from agent.gateway import headers
from agent.gateway.routing import Refused, Route, target_of
from agent.gateway.transport.base import Headers
from agent.gateway.unified.routebook import RouteBook
from agent.model.provider import Scheme, Spoken
from agent.routing.configured import ConfiguredProvider

PROVIDER_HEADER = b"x-drawbridge-provider"
_OPERATIONS = ("files", "batches")


def passing(book: RouteBook, route: Route, fields: Headers) -> tuple[Route, str]:
    """The way of such a request, and the id of the provider: the one that the header `x-drawbridge-provider` names, or
    the only one that has such an operation. Raises Refused."""
    operation = next(name for name in _OPERATIONS if route.plain_path.startswith(f"/v1/{name}"))
    able = {each.id: each for each in book.providers.values() if _spoken(each, operation) is not None}
    named = headers.get(fields, PROVIDER_HEADER).decode("latin-1")
    if not named and len(able) > 1:
        raise Refused(400, f"say in the header x-drawbridge-provider who keeps them: {', '.join(able)}")
    provider = able.get(named) if named else next(iter(able.values()), None)
    if provider is None:
        known = f"there is {', '.join(able)}" if able else "the policy names none that does"
        raise Refused(404, f"{named or 'no provider'} keeps no {operation} here: {known}")
    return _route(provider, operation, route), provider.id


def _spoken(provider: ConfiguredProvider, operation: str) -> Spoken | None:
    if provider.scheme not in (Scheme.BEARER, Scheme.HEADER, Scheme.NONE):
        return None
    return next((each for each in provider.row.speaks if operation in each.paths), None)


def _route(provider: ConfiguredProvider, operation: str, route: Route) -> Route:
    spoken = _spoken(provider, operation)
    assert spoken is not None
    url, _, query = provider.url(spoken, operation).partition("?")
    rest = route.path.removeprefix(f"/v1/{operation}")
    target = target_of(url)
    name = provider.row.key_header if provider.scheme is Scheme.HEADER else "authorization"
    key = provider.keys[0].key if provider.keys else ""
    own = query.encode("latin-1")
    return replace(
        route,
        host=target.host,
        path=target.base_path + rest,
        target=replace(target, base_path=""),
        query=b"&".join(part for part in (own, route.query) if part),
        credential=(name, key) if key else None,
    )

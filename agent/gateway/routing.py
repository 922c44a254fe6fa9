"""Where a request goes: the origin the app asked for, a central gateway, or a provider with a key of the policy's."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes, urlsplit

from agent.catalog.paths import normalise
from agent.dialects.faults import Fault
from agent.errors import ConfigError
from agent.gateway import headers
from agent.gateway.transport.base import Headers
from agent.inspection import RuleBook
from agent.model.direct import direct
from agent.model.surface import Endpoint, Surface
from agent.model.traffic import Connection, Target
from agent.policy.document import Credential, WhenAway
from agent.translation.registry import translator

_PASSING = ("/v1/files", "/v1/batches")  # the gateway's own paths that ask no model: through to one provider
MODELS = frozenset({"/v1/models", "/v1beta/models"})
QUOTA = frozenset({"/v1/quota", "/-/quota"})
_ONE_MODEL = tuple(f"{path}/" for path in sorted(MODELS))
_SECRET_PARAMETERS = frozenset({b"key", b"access_token", b"oauth_token", b"api_key", b"api-key", b"token"})
_NOWHERE = Target(host="gateway", port=0, tls=False)


@direct
@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A request's way out. `path` has no query, `plain_path` is its one spelling for rules to compare; `credential`
    replaces the user's own where it is set."""

    surface: Surface
    endpoint: Endpoint | None
    host: str
    path: str
    plain_path: str
    query: bytes
    target: Target
    upstream: str  # native, central, provider; gateway: where it goes is chosen when the request is known
    credential: tuple[str, str] | None = None  # header name, secret reference
    keeps_own: bool = False  # the user's own credential travels beside it
    never: bool = False  # the catalog says that this path is never looked at
    instead: Route | None = None  # the way to go while this one cannot be reached
    imposed: Headers = ()  # headers that replace whatever the client says there


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that has no way out, with the HTTP status that says so."""

    status: int
    message: str
    misdirected: bool = False
    bound_for: Route | None = None  # where it would have gone, if that is known


type Way = Callable[[Route], str]
"""Where the policy sends a request that would go to the host which was meant: `native`, `gateway` or `central`."""


def is_page(plain_path: str) -> bool:
    """Whether the gateway answers a path of its own API itself."""
    return plain_path in MODELS or plain_path in QUOTA or bool(model_of_page(plain_path))


def model_of_page(plain_path: str) -> str:
    """The model that `/v1/models/{model}` asks about; empty at every other path."""
    if not plain_path.startswith(_ONE_MODEL):
        return ""
    return plain_path.partition("/models/")[2]


def way_of_policy(rules: RuleBook) -> Way:
    """The same way for all."""
    chosen = rules.policy.upstream.route
    return lambda _: chosen


class Refused(Exception):
    """The exchange ends here, with an error of ours that is no verdict of the guardrails. Its message is for the
    client, in the client's own dialect."""

    def __init__(
        self, status: int, message: str, *, headers: Headers = (), fault: Fault = Fault.UNSAID
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.fault = fault


def split_target(raw: bytes) -> tuple[str, bytes]:
    """Path (still percent-encoded) and query of a request target."""
    path, _, query = raw.partition(b"?")
    return path.decode("latin-1"), query


def route_intercepted(
    rules: RuleBook, connection: Connection, head: Headers, raw_target: bytes, way: Way | None = None
) -> Route | Refusal:
    """The way of a request from an intercepted connection; by default the policy's, for all programs alike.

    The name the app asked the proxy for, the name in its TLS hello and the `Host` inside must agree: a request for
    another host than the one that was judged on the way in goes nowhere (domain fronting).
    """
    if headers.count(head, b"host") != 1:
        return Refusal(status=400, message="a request must have exactly one Host header")
    host = _host(headers.get(head, b"host"))
    asked = {name for name in (connection.sni, connection.connect_host) if name and not _is_address(name)}
    path, query = split_target(raw_target)
    plain_path = normalise(path)
    match = rules.catalog.found(host, plain_path, app=connection.app)
    if match is None or any(name != host for name in asked):
        made_for = ", ".join(sorted(asked)) or "an address"
        message = f"the request is for {host!r}, but the connection was made for {made_for}"
        return Refusal(status=421, message=message, misdirected=True)
    native = Route(
        surface=match.surface,
        endpoint=match.endpoint,
        host=host,
        path=path,
        plain_path=plain_path,
        query=query,
        target=Target(host=host, port=connection.connect_port or 443),
        upstream="native",
        imposed=rules.tenancy.headers(host, plain_path),
        never=match.never,
    )
    return bound(rules, native, way)


def route_base_url(rules: RuleBook, raw_target: bytes, way: Way | None = None) -> Route | Refusal:
    """The way of a request to `http://127.0.0.1:PORT/<prefix>/…`, or to the gateway's own API at `/v1/…`."""
    path, query = split_target(raw_target)
    if (own := _own(rules, path, query, way)) is not None:
        return own
    prefix, _, rest = path.lstrip("/").partition("/")
    surface = next((row for row in rules.catalog.surfaces if row.prefix and row.prefix == prefix), None)
    if surface is None:
        known = ", ".join(f"/{row.prefix}" for row in rules.catalog.surfaces if row.prefix)
        return Refusal(status=404, message=f"no such base URL; use /v1, or one of {known}")
    path = f"/{rest}"
    plain_path = normalise(path)
    provider = rules.policy.providers.get(surface.id)
    origin = (provider.base_url if provider else "") or surface.origin
    target = target_of(origin)
    keys = provider.credentials if provider else ()
    credential = (surface.key_header, keys[0].key) if keys else None
    route = Route(
        surface=surface,
        endpoint=rules.catalog.endpoint(surface, plain_path),
        host=target.host,
        path=path,
        plain_path=plain_path,
        query=query_without_secrets(query) if credential else query,
        target=target,
        upstream="provider" if provider else "native",
        credential=credential,
        imposed=rules.tenancy.headers(target.host, plain_path),
        never=rules.catalog.untouched(surface, plain_path),
    )
    return bound(rules, route, way)


def bound(rules: RuleBook, route: Route, way: Way | None = None) -> Route | Refusal:
    """The way of a route under the policy, by default the same for all programs. What asks no model goes where it would
    go by itself."""
    if not _asks_model(route.endpoint):
        return route
    match (way or way_of_policy(rules))(route):
        case "central":
            return _central(rules, route)
        case "gateway":
            return _by_providers(route)
        case _:
            return route


def _asks_model(endpoint: Endpoint | None) -> bool:
    return endpoint is not None and not endpoint.takes_files


def _by_providers(route: Route) -> Route | Refusal:
    assert route.endpoint is not None
    if translator(route.endpoint.dialect) is None:
        return Refusal(
            status=403,
            message="policy has this program served by the company's providers, none of which speaks as "
            + route.surface.name,
            bound_for=route,
        )
    query = query_without_secrets(route.query)
    return replace(route, upstream="gateway", credential=None, query=query)


def _own(rules: RuleBook, path: str, query: bytes, way: Way | None) -> Route | Refusal | None:
    """The way of a request to the gateway's own API, None where the path is none of its."""
    surface = rules.catalog.own
    if surface is None:
        return None
    plain_path = normalise(path)
    endpoint = rules.catalog.endpoint(surface, plain_path)
    if endpoint is None and not is_page(plain_path) and not plain_path.startswith(_PASSING):
        return None
    route = Route(
        surface=surface,
        endpoint=endpoint,
        host=_NOWHERE.host,
        path=path,
        plain_path=plain_path,
        query=query,
        target=_NOWHERE,
        upstream="gateway",
    )
    return _central(rules, route) if (way or way_of_policy(rules))(route) == "central" else route


def target_of(url: str) -> Target:
    """The origin and base path of an http(s) URL. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{url!r} is no http(s) URL")
    tls = parts.scheme == "https"
    return Target(
        host=parts.hostname,
        port=parts.port or (443 if tls else 80),
        tls=tls,
        base_path=parts.path.rstrip("/"),
    )


def _central(rules: RuleBook, route: Route) -> Route | Refusal:
    central = rules.policy.upstream.central
    assert central is not None  # the policy's own check
    if not route.surface.prefix and not route.surface.own:
        return Refusal(
            status=403,
            message="policy sends all model traffic to the central gateway, which has no route for "
            + route.surface.name,
            bound_for=route,
        )
    target = target_of(central.base_url)
    keeps_own = central.user_credential is Credential.KEEP
    return Route(
        surface=route.surface,
        endpoint=route.endpoint,
        host=route.host,
        path=route.path if route.surface.own else f"/{route.surface.prefix}{route.path}",
        plain_path=route.plain_path,
        query=route.query if keeps_own else query_without_secrets(route.query),
        target=target,
        upstream="central",
        credential=(central.header, central.virtual_key),
        keeps_own=keeps_own,
        instead=_while_away(central.when_away, route),
        imposed=route.imposed,
    )


def _while_away(rule: WhenAway, route: Route) -> Route | None:
    match rule:
        case WhenAway.BLOCK:
            return None
        case WhenAway.NATIVE:
            return None if route.surface.own else route
        case WhenAway.PROVIDERS:
            return replace(route, upstream="gateway", credential=None)


def query_without_secrets(query: bytes) -> bytes:
    """A query without keys, and without what Google's services take for headers (`$httpHeaders`)."""
    return b"&".join(
        part
        for part in query.split(b"&")
        if (name := parameter(part)) not in _SECRET_PARAMETERS and not name.startswith(b"$")
    )


def parameter(part: bytes) -> bytes:
    """The name in one part of a query, in lower case."""
    return unquote_to_bytes(part.partition(b"=")[0].replace(b"+", b" ")).strip().lower()


def _host(value: bytes) -> str:
    """The name in a Host header, lower case, without port and trailing dot."""
    text = value.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text.partition("]")[0].lstrip("[")
    return text.partition(":")[0].rstrip(".")


def _is_address(name: str) -> bool:
    if ":" not in name and not name[-1:].isdigit():  # no top-level domain ends in a digit
        return False
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

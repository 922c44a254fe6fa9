"""How services are reached that we ask for ourselves (checks, collectors, the identity provider): as upstreams are."""

from __future__ import annotations

from functools import partial

from agent.checks.http import HttpConfig
from agent.gateway.transport.proxy import parse_proxy
from agent.gateway.transport.tls import client_context
from agent.host.proxy_exceptions import ProxyExceptions
from agent.host.settings import Settings


def towards_services(settings: Settings) -> HttpConfig:
    """By the settings' own proxy, roots and pinned addresses. Raises ConfigError."""
    proxy = parse_proxy(settings.upstream_proxy) if settings.upstream_proxy else None
    return HttpConfig(
        context=partial(client_context, settings.upstream_ca_file),
        resolve={(each.host, each.port): (each.address, each.address_port) for each in settings.resolve},
        proxy_url=proxy.url if proxy else "",
        proxy_authorization=proxy.authorization if proxy else "",
        direct=ProxyExceptions.parse(settings.upstream_direct),
    )

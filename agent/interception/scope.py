"""Which connections are ours to read: decided by names, before a byte is decrypted. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

from agent.catalog import Catalog
from agent.interception.clienthello import ClientHello
from agent.model.surface import Surface
from agent.model.traffic import Tier


class Way(StrEnum):
    """What happens to a connection."""

    TUNNEL = "tunnel"
    INTERCEPT = "intercept"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The decision on a connection; `surface` and `tier` where it is intercepted."""

    way: Way
    tier: Tier = Tier.RELAY
    surface: Surface | None = None
    reason: str = ""
    paused: bool = False  # it passes unseen only as long as interception is paused


def decide(catalog: Catalog, connect_host: str, hello: ClientHello | None) -> Passage:
    """By the name the app asked the proxy for and the name in its TLS hello (None: the bytes are no TLS).

    Either name is enough to make a connection ours: an address or another name in CONNECT must not lead around the
    check. Where the two are different names and one of them is catalogued, nothing is decrypted and nothing passes.
    """
    asked = catalog.surface(connect_host)
    if hello is None:
        if asked is None:
            return Passage(way=Way.TUNNEL)
        return Passage(way=Way.REFUSE, surface=asked, reason="plain bytes to a catalogued host")
    named = catalog.surface(hello.sni) if hello.sni else asked
    surface = named or asked
    if surface is None:
        return Passage(way=Way.TUNNEL)
    if hello.sni and connect_host != hello.sni and not is_address(connect_host):
        return Passage(
            way=Way.REFUSE, surface=surface, reason=f"asked for {connect_host!r}, TLS names {hello.sni!r}"
        )
    return Passage(
        way=Way.INTERCEPT,
        tier=tier_for(hello, http2=catalog.needs_http2(hello.sni or connect_host)),
        surface=surface,
    )


def tier_for(hello: ClientHello, *, http2: bool) -> Tier:
    """The relay tier, unless the host's clients need HTTP/2 and this one offers it, or can do nothing else."""
    offers_h2 = b"h2" in hello.alpn
    only_h2 = offers_h2 and b"http/1.1" not in hello.alpn
    return Tier.HTTP if (http2 and offers_h2) or only_h2 else Tier.RELAY


def is_address(host: str) -> bool:
    """Whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True

"""Which connections are ours to read, by names alone."""

from __future__ import annotations

import pytest

from agent.catalog import Catalog, bundled_surfaces
from agent.interception.clienthello import ClientHello
from agent.interception.scope import Passage, Way, decide, is_address, tier_for
from agent.model.traffic import Tier

CATALOG = Catalog(bundled_surfaces())
NO_TLS = None


def passage(host: str, sni: str | None, *alpn: bytes) -> Passage:
    return decide(CATALOG, host, None if sni is None else ClientHello(sni=sni, alpn=alpn))


@pytest.mark.parametrize(
    ("host", "sni", "way"),
    [
        # both names agree
        ("api.openai.com", "api.openai.com", Way.INTERCEPT),
        ("x.openai.azure.com", "x.openai.azure.com", Way.INTERCEPT),
        ("example.com", "example.com", Way.TUNNEL),
        # an address in CONNECT leads around nothing
        ("203.0.113.7", "api.openai.com", Way.INTERCEPT),
        ("2001:db8::7", "api.openai.com", Way.INTERCEPT),
        ("203.0.113.7", "example.com", Way.TUNNEL),
        ("203.0.113.7", "", Way.TUNNEL),
        # no name in the hello
        ("api.openai.com", "", Way.INTERCEPT),
        ("example.com", "", Way.TUNNEL),
        # names that disagree
        ("api.openai.com", "example.com", Way.REFUSE),
        ("example.com", "api.openai.com", Way.REFUSE),
        ("api.openai.com", "api.anthropic.com", Way.REFUSE),
        ("example.com", "example.org", Way.TUNNEL),
        ("0x7f.1", "api.openai.com", Way.REFUSE),  # spelled as no address we know
        # no TLS at all
        ("api.openai.com", NO_TLS, Way.REFUSE),
        ("example.com", NO_TLS, Way.TUNNEL),
        ("203.0.113.7", NO_TLS, Way.TUNNEL),
        # names that only look alike
        ("openai.com.evil.tld", "openai.com.evil.tld", Way.TUNNEL),
        ("api.openai.com.evil.tld", "api.openai.com.evil.tld", Way.TUNNEL),
        ("notopenai.com", "notopenai.com", Way.TUNNEL),
        ("203.0.113.7", "notapi.openai.com.evil.tld", Way.TUNNEL),
    ],
)
def test_the_way_of_a_connection(host: str, sni: str | None, way: Way) -> None:
    assert passage(host, sni).way is way


def test_a_refusal_says_which_names_disagree() -> None:
    refused = passage("api.openai.com", "example.com")
    assert "'api.openai.com'" in refused.reason
    assert "'example.com'" in refused.reason
    assert refused.surface is not None


def test_a_tunnel_is_nobodys_surface() -> None:
    assert passage("example.com", "example.com").surface is None


@pytest.mark.parametrize(
    ("host", "alpn", "tier"),
    [
        ("api.openai.com", (), Tier.RELAY),
        ("api.openai.com", (b"http/1.1",), Tier.RELAY),
        ("api.openai.com", (b"h2", b"http/1.1"), Tier.RELAY),
        ("api.openai.com", (b"h2",), Tier.HTTP),  # it can do nothing else
        ("chatgpt.com", (b"h2", b"http/1.1"), Tier.HTTP),
        ("chatgpt.com", (b"http/1.1",), Tier.RELAY),
        ("chatgpt.com", (), Tier.RELAY),
    ],
)
def test_the_http_tier_is_for_those_who_need_http2(host: str, alpn: tuple[bytes, ...], tier: Tier) -> None:
    assert passage(host, host, *alpn).tier is tier
    assert tier_for(ClientHello(sni=host, alpn=alpn), http2=CATALOG.needs_http2(host)) is tier


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", False), ("1.2.3", False), ("", False)],
)
def test_addresses_are_told_from_names(host: str, expected: bool) -> None:
    assert is_address(host) is expected

"""The proxy's URL is read strictly and its credentials stay in one place."""

from __future__ import annotations

from base64 import b64decode

import pytest

from agent.errors import ConfigError
from agent.gateway.transport.proxy import parse_proxy, proxy_refusal


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("http://proxy.test:3128", "proxy.test", 3128),
        ("http://proxy.test", "proxy.test", 80),
        ("http://[::1]:3128/", "::1", 3128),
    ],
)
def test_a_proxy_has_a_host_and_a_port(url: str, host: str, port: int) -> None:
    proxy = parse_proxy(url)
    assert (proxy.host, proxy.port, proxy.authorization) == (host, port, "")


def test_credentials_are_decoded_and_kept_out_of_sight() -> None:
    word = "p%40" + "ss"
    proxy = parse_proxy(f"http://me:{word}@proxy.test:3128")
    scheme, _, value = proxy.authorization.partition(" ")
    assert (scheme, b64decode(value)) == ("Basic", b"me:p@ss")
    assert proxy.url == "http://proxy.test:3128"
    assert value not in repr(proxy)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "proxy.test:3128",
        "socks5://proxy.test:1080",
        "https://proxy.test",
        "http://",
        "http://p.test:x",
        "http://p.test/x",
    ],
)
def test_what_is_no_http_proxy_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_proxy(url)
    assert "proxy.test" not in str(caught.value)
    assert caught.value.hint()


def test_a_proxy_that_wants_credentials_says_so() -> None:
    proxy = parse_proxy("http://proxy.test:3128")
    assert "credentials" in str(proxy_refusal(proxy, 407))
    assert "403" in str(proxy_refusal(proxy, 403))

"""The hosts that a proxy is not for, in every spelling that people use."""

from __future__ import annotations

import pytest

from agent.host.proxy_exceptions import ProxyExceptions

ENTRIES = [
    "Corp.example:443",
    ".lan",
    "*.test",
    "10.*",
    "192.168.0.0/16",
    "fd00::/8",
    "<local>",
    "",
    "x" * 300,
]


@pytest.mark.parametrize(
    "host",
    [
        "corp.example",
        "a.corp.example",
        "A.LAN",
        "lan",
        "x.test",
        "10.1.2.3",
        "192.168.3.4",
        "[fd00::1]",
        "printer",
        "localhost",
        "127.0.0.1",
        "::1",
        "corp.example.",
    ],
)
def test_covered(host: str) -> None:
    assert ProxyExceptions.parse(ENTRIES).cover(host)


@pytest.mark.parametrize(
    "host", ["notcorp.example", "corp.example.evil", "api.openai.com", "11.1.1.1", "fe80::1"]
)
def test_not_covered(host: str) -> None:
    assert not ProxyExceptions.parse(ENTRIES).cover(host)


def test_a_star_is_every_host_and_nothing_is_only_this_machine() -> None:
    assert ProxyExceptions.parse(["*"]).cover("api.openai.com")
    assert not ProxyExceptions().cover("api.openai.com")
    assert ProxyExceptions().cover("127.0.0.1")

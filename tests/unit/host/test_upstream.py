"""The company's proxy, found by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.host.earlier import Earlier
from agent.host.settings import Settings
from agent.host.upstream import settled

AUTO = Settings(state_dir=Path("/s"), upstream_proxy="auto", upstream_direct=("own",))
PAC = 'function FindProxyForURL(u, h) { if (isPlainHostName(h)) return "DIRECT"; return "PROXY P.corp:3128; DIRECT"; }'


def test_what_is_said_is_not_looked_for() -> None:
    for said in (None, "http://p:1"):
        settings = Settings(state_dir=Path("/s"), upstream_proxy=said)
        assert settled(settings, {"HTTPS_PROXY": "http://q:1"}, Earlier(https="r:1")) == settings


def test_the_environment_comes_first() -> None:
    environ = {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "a, .b"}
    found = settled(AUTO, environ, Earlier(https="q:1"))
    assert (found.upstream_proxy, found.upstream_direct) == ("http://p:3128", ("own", "a", ".b"))


def test_ourselves_are_not_the_company() -> None:
    found = settled(AUTO, {"HTTPS_PROXY": "http://127.0.0.1:7717"}, Earlier(https="localhost:7717"))
    assert found.upstream_proxy is None


@pytest.mark.parametrize(
    ("earlier", "proxy"),
    [
        (Earlier(), None),
        (Earlier(https="p:3128"), "http://p:3128"),
        (Earlier(http="p:3128"), None),  # what plain HTTP needs says nothing of HTTPS
        (Earlier(pac_url="http://c/p", pac_text=PAC), "http://p.corp:3128"),
        (Earlier(pac_url="http://c/p", pac_text=PAC + '"PROXY q:1"'), None),
        (Earlier(pac_url="http://c/p", pac_text=PAC.replace("PROXY", "SOCKS5")), None),
        (Earlier(pac_url="http://c/p", pac_text='return "DIRECT"'), None),
        (Earlier(pac_url="http://c/p"), None),
    ],
)
def test_what_stood_there_before_comes_second(earlier: Earlier, proxy: str | None) -> None:
    assert settled(AUTO, {}, earlier).upstream_proxy == proxy


def test_the_systems_exceptions_count() -> None:
    found = settled(AUTO, {}, Earlier(https="p:3128", exceptions=("x", "own")))
    assert found.upstream_direct == ("own", "x")

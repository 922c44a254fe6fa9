"""A node is called by its address or by a name that it knows, and never by a web page."""

from __future__ import annotations

import pytest

from agent.central.hosts import guard_for, own_names

GUARD = guard_for(["llm.example.com", "*.nodes.example.com"], {"box"})


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:8080",
        b"10.1.2.3",
        b"[::1]:8080",
        b"[2001:db8::1]",
        b"box:8080",
        b"LLM.example.com",
        b"llm.example.com.:443",
        b"a.nodes.example.com",
    ],
)
def test_known_names_and_addresses(host: bytes) -> None:
    assert GUARD(((b"host", host),), 1) == ""


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"evil.example",
        b"nodes.example.com",
        b"xnodes.example.com",
        b"llm.example.com.evil.example",
        b"box2",
    ],
)
def test_other_names(host: bytes) -> None:
    assert "--allowed-host" in GUARD(((b"host", host),), 1)


def test_a_request_without_a_name_is_refused() -> None:
    assert GUARD((), 1)


def test_any_name_but_no_web_page() -> None:
    guard = guard_for(["*"])
    assert guard(((b"host", b"whatever"),), 1) == ""
    assert "web pages" in guard(((b"host", b"whatever"), (b"origin", b"https://whatever")), 1)


def test_this_machine_knows_its_name() -> None:
    assert "localhost" in own_names()

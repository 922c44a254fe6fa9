"""The head of a request to the proxy."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.interception.request_head import MAX_HEAD, BadHead, ProxyHead, authority, parse

CONNECT = b"CONNECT Api.OpenAI.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\nUser-Agent: x\r\n\r\n"


def test_a_connect_names_its_host_and_port_and_what_follows_is_kept() -> None:
    assert parse(CONNECT + b"\x16\x03") == (
        ProxyHead(
            method="CONNECT",
            target="Api.OpenAI.com:443",
            host="api.openai.com",
            port=443,
            host_field="api.openai.com:443",
        ),
        b"\x16\x03",
    )


def test_until_the_head_is_whole_more_is_wanted() -> None:
    for end in range(len(CONNECT)):
        assert parse(CONNECT[:end]) is None


def test_a_get_has_a_target_and_the_fields_that_matter() -> None:
    parsed = parse(b"GET /proxy.pac HTTP/1.1\r\nHOST:  127.0.0.1:1 \r\norigin: https://evil.tld\r\n\r\n")
    assert parsed is not None
    head, rest = parsed
    assert (head.method, head.target, head.host_field) == ("GET", "/proxy.pac", "127.0.0.1:1")
    assert head.origin_field == "https://evil.tld"
    assert (head.host, head.port, rest) == ("", 0, b"")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("host:1", ("host", 1)),
        ("HOST.example.:65535", ("host.example", 65535)),
        ("[::1]:443", ("::1", 443)),
        ("[FE80::A]:8", ("fe80::a", 8)),
    ],
)
def test_an_authority_is_host_and_port(target: str, expected: tuple[str, int]) -> None:
    assert authority(target) == expected


@pytest.mark.parametrize(
    "target",
    [
        "",
        "host",
        "host:",
        ":443",
        "host:0",
        "host:65536",
        "host:-1",
        "host:4x",
        "host:\u00b2",
        "host:" + "9" * 5000,
        ".:1",
        "[]:1",
    ],
)
def test_what_is_no_authority_is_refused(target: str) -> None:
    with pytest.raises(BadHead):
        authority(target)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"CONNECT a:1\r\n\r\n", "not an HTTP/1.1 request"),
        (b"CONNECT a:1 HTTP/2.0\r\n\r\n", "not an HTTP/1.1 request"),
        (b"CONNECT  a:1 HTTP/1.1\r\n\r\n", "not an HTTP/1.1 request"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "not an HTTP/1.1 request"),
        (b"\x16\x03\x01\x02", "TLS to the proxy"),
        (b"GET / HTTP/1.1\r\n" + b"x" * MAX_HEAD, "too large"),
        (b"GET / HTTP/1.1\r\nx: " + b"x" * MAX_HEAD + b"\r\n\r\n", "too large"),
        (b"CONNECT a:\xb2 HTTP/1.1\r\n\r\n", "needs host:port"),
    ],
)
def test_what_a_proxy_cannot_serve_is_refused(data: bytes, problem: str) -> None:
    with pytest.raises(BadHead, match=problem):
        parse(data)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_no_bytes_do_harm(line: bytes, fields: bytes) -> None:
    for data in (line, line + b"\r\n" + fields + b"\r\n\r\n", b"CONNECT " + line + b" HTTP/1.1\r\n\r\n"):
        with contextlib.suppress(BadHead):
            parse(data)

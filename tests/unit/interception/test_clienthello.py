"""ClientHellos: read from real ones, never from anything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.interception.clienthello import MAX_HELLO, ClientHello, NotTls, parse
from tests.fakes.hellos import client_hello

HELLO = client_hello(alpn=("h2", "http/1.1"))


def records(message: bytes, *sizes: int) -> bytes:
    """A handshake message, cut into TLS records of these sizes and a last one."""
    out = b""
    for size in (*sizes, len(message)):
        part, message = message[:size], message[size:]
        out += b"\x16\x03\x01" + len(part).to_bytes(2) + part
    return out


@pytest.mark.parametrize("tls12", [True, False])
def test_name_and_protocols_of_a_real_hello_are_read(tls12: bool) -> None:
    hello = parse(client_hello("API.Example.com", ("h2", "http/1.1"), tls12=tls12))
    assert hello == ClientHello(sni="api.example.com", alpn=(b"h2", b"http/1.1"))


def test_a_hello_without_a_name_or_protocols_is_a_hello() -> None:
    assert parse(client_hello(None)) == ClientHello()
    assert parse(client_hello("192.0.2.1")) == ClientHello()  # addresses are never sent (RFC 6066 section 3)


def test_until_the_hello_is_whole_more_is_wanted() -> None:
    for end in range(len(HELLO)):
        assert parse(HELLO[:end]) is None
    assert (
        parse(HELLO)
        == parse(HELLO + b"whatever follows")
        == ClientHello(sni="api.openai.com", alpn=(b"h2", b"http/1.1"))
    )


@given(st.lists(st.integers(min_value=0, max_value=200), max_size=5))
def test_a_hello_may_span_records(sizes: list[int]) -> None:
    assert parse(records(HELLO[5:], *sizes)) == parse(HELLO)


def test_a_closing_dot_in_the_name_is_no_other_name() -> None:
    dotted = client_hello("api.openai.com").replace(b"api.openai.com", b"api.openai.co.")
    parsed = parse(dotted)
    assert parsed is not None
    assert parsed.sni == "api.openai.co"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"SSH-2.0-x",
        b"\x80\x2e\x01\x03\x01",  # SSLv2
        b"\x17\x03\x03\x00\x01x",  # application data
        b"\x16\x02\x00\x00\x10",
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",  # a ServerHello
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",  # far too long
        b"\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03",  # cut short by its own length
    ],
)
def test_what_is_no_hello_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(NotTls):
        parse(data)


def test_a_hello_that_says_it_is_too_large_is_refused_before_it_is_there() -> None:
    start = b"\x16\x03\x01\x40\x00\x01" + (MAX_HELLO + 1).to_bytes(3)
    with pytest.raises(NotTls, match="too large"):
        parse(start)


@given(st.binary(max_size=300))
def test_no_bytes_do_harm(data: bytes) -> None:
    with contextlib.suppress(NotTls):
        parse(data)


@given(st.integers(min_value=5, max_value=len(HELLO) - 1), st.integers(min_value=0, max_value=255))
def test_a_damaged_hello_does_no_harm(at: int, value: int) -> None:
    with contextlib.suppress(NotTls):
        parse(HELLO[:at] + bytes([value]) + HELLO[at + 1 :])
